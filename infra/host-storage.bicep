// What the Functions host keeps and who may use it: the app's package, the timers' leases, the queues and the history of
// orchestrations. What the app itself keeps is in the catalogue, another account.

@description('The name of the account, which is there already.')
param name string

@description('The identity that the host signs in as.')
param runtimePrincipalId string

@description('The Log Analytics workspace that hears of deletions.')
param workspaceId string

// What Microsoft says that the host, its timers and Durable Functions need on their account.
var hostRoles = [
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: name
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'app-package'
  properties: { publicAccess: 'None' }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in hostRoles: {
  name: guid(name, role, runtimePrincipalId)
  scope: account
  properties: {
    principalId: runtimePrincipalId
    principalType: 'ServicePrincipal' // said, because Entra ID may not have heard of a new identity everywhere yet
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

// Deletions alone: the host reads and writes here all day, and a record of that would cost more than the account.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'tidemark'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageDelete', enabled: true }]
  }
}

output packageContainer string = package.name
