// Who may use the catalogue, the tables that say which restore points there are. They can be made anew from manifests.
import { roleName } from 'role-names.bicep'

@description('The name of the account, which is there already.')
param name string

@description('The roles to assign on the account, entries of roles.json as items() lists them.')
param roles array

@description('The four identities, each with its principalId.')
param identities object

@description('What tells this installation apart from others in the same tenant.')
param installation string

@description('The Log Analytics workspace that hears of changes.')
param workspaceId string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: name
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  name: guid(name, installation, role.key, identities[role.value.identity].principalId)
  scope: account
  properties: {
    principalId: identities[role.value.identity].principalId
    principalType: 'ServicePrincipal' // said, because Entra ID may not have heard of a new identity everywhere yet
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName(subscription().subscriptionId, installation, role.key))
  }
}]

// Not the reads: the app looks into its tables every few minutes.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'tidemark'
  scope: tables
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}
