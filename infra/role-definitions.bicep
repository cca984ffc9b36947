// The custom roles of one subscription. Every subscription has its own: one definition for all of them could not be
// changed any more once a subscription had left the policy file, because Azure refuses to take away an assignable
// scope that still has assignments.
targetScope = 'subscription'

import { roleName } from 'role-names.bicep'

@description('The roles to define, entries of roles.json as items() lists them.')
param roles array

@description('What tells this installation apart from others in the same tenant.')
param installation string

var here = subscription().id

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in roles: {
  name: roleName(subscription().subscriptionId, installation, role.key)
  properties: {
    // Titles must be unique in the tenant, too.
    roleName: '${role.value.title} (${installation}, ${subscription().subscriptionId})'
    description: role.value.description
    type: 'CustomRole'
    permissions: [
      {
        actions: role.value.actions
        notActions: []
        dataActions: role.value.dataActions
        notDataActions: []
      }
    ]
    assignableScopes: [here]
  }
}]
