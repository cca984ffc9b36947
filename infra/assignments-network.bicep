// Assigns custom roles on a virtual network and on one subnet of it, both of which must be there already.
import { roleName } from 'role-names.bicep'

@description('The name of the virtual network.')
param networkName string

@description('The name of the subnet.')
param subnetName string

@description('The roles to assign on the network, entries of roles.json as items() lists them.')
param networkRoles array

@description('The roles to assign on the subnet alone.')
param subnetRoles array

@description('The four identities, each with its principalId.')
param identities object

@description('What tells this installation apart from others in the same tenant.')
param installation string

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' existing = {
  name: networkName
}

resource subnet 'Microsoft.Network/virtualNetworks/subnets@2024-07-01' existing = {
  parent: network
  name: subnetName
}

resource onNetwork 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in networkRoles: {
  name: guid(toLower(network.id), installation, role.key, identities[role.value.identity].principalId)
  scope: network
  properties: {
    principalId: identities[role.value.identity].principalId
    principalType: 'ServicePrincipal' // said, because Entra ID may not have heard of a new identity everywhere yet
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName(subscription().subscriptionId, installation, role.key))
  }
}]

resource onSubnet 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in subnetRoles: {
  name: guid(toLower(subnet.id), installation, role.key, identities[role.value.identity].principalId)
  scope: subnet
  properties: {
    principalId: identities[role.value.identity].principalId
    principalType: 'ServicePrincipal' // said, because Entra ID may not have heard of a new identity everywhere yet
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleName(subscription().subscriptionId, installation, role.key))
  }
}]
