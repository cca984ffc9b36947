// Assigns custom roles on a resource group.
import { roleName } from 'role-names.bicep'

@description('The roles to assign, entries of roles.json as items() lists them.')
param roles array

@description('The four identities, each with its principalId.')
param identities object

@description('What tells this installation apart from others in the same tenant.')
param installation string

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in roles: {
  name: guid(toLower(resourceGroup().id), installation, role.key, identities[role.value.identity].principalId)
  properties: {
    principalId: identities[role.value.identity].principalId
    principalType: 'ServicePrincipal' // said, because Entra ID may not have heard of a new identity everywhere yet
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName(subscription().subscriptionId, installation, role.key))
  }
}]
