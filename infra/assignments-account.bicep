// Assigns custom roles on a storage account, which must be there already.
import { roleName } from 'role-names.bicep'

@description('The name of the storage account.')
param accountName string

@description('The roles to assign, entries of roles.json as items() lists them.')
param roles array

@description('The four identities, each with its principalId.')
param identities object

@description('What tells this installation apart from others in the same tenant.')
param installation string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  name: guid(toLower(account.id), installation, role.key, identities[role.value.identity].principalId)
  scope: account
  properties: {
    principalId: identities[role.value.identity].principalId
    principalType: 'ServicePrincipal' // said, because Entra ID may not have heard of a new identity everywhere yet
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName(subscription().subscriptionId, installation, role.key))
  }
}]
