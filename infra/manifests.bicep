// The manifests of one location: one container, which keeps what is written there from being changed or deleted for a
// while, and who may use it.
import { roleName } from 'role-names.bicep'

@description('The name of the account, which is there already.')
param accountName string

@minLength(3)
@maxLength(63)
@description('The name of the container.')
param containerName string

@minValue(1)
@maxValue(146000)
@description('For how many days a manifest can be neither changed nor deleted.')
param immutabilityDays int

@description('Whether the policy has been locked. A locked one refuses to be written again, even with the same days.')
param isLocked bool

@description('The roles to assign on the container, entries of roles.json as items() lists them.')
param roles array

@description('The four identities, each with its principalId.')
param identities object

@description('What tells this installation apart from others in the same tenant.')
param installation string

@description('The Log Analytics workspace that hears who read or changed manifests. It may lie in another region.')
param workspaceId string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // What was deleted wrongly, a manifest or the container, can be brought back for these days.
    deleteRetentionPolicy: { enabled: true, days: 14 }
    containerDeleteRetentionPolicy: { enabled: true, days: 14 }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: containerName
  properties: { publicAccess: 'None' }
}

// Made unlocked, because a lock can never be undone. Locking it is a call of its own, for which Bicep has no word.
resource immutability 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = if (!isLocked) {
  parent: container
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: immutabilityDays
    allowProtectedAppendWrites: false
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  name: guid(accountName, containerName, installation, role.key, identities[role.value.identity].principalId)
  scope: container
  properties: {
    principalId: identities[role.value.identity].principalId
    principalType: 'ServicePrincipal' // said, because Entra ID may not have heard of a new identity everywhere yet
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName(subscription().subscriptionId, installation, role.key))
  }
}]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'tidemark-${installation}' // another installation may keep its manifests here, too
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}
