// What the app may do to the VMs that it protects: on whole subscriptions, or on single resource groups of them.
targetScope = 'subscription'

@description('The list `subscriptions` of the policy file: an id each, and the resource groups if not all are meant.')
param subscriptions array

@description('The roles for what is protected, entries of roles.json as items() lists them.')
param roles array

@description('The four identities, each with its principalId.')
param identities object

@description('What tells this installation apart from others in the same tenant.')
param installation string

var whole = filter(subscriptions, entry => !contains(entry, 'resource_groups'))
var parts = filter(subscriptions, entry => contains(entry, 'resource_groups'))
var groups = flatten(map(parts, entry => map(entry.resource_groups, group => '${entry.id}/${group}')))

module definitions 'role-definitions.bicep' = [for (entry, index) in subscriptions: {
  name: 'tidemark-protected-roles-${installation}-${index}'
  scope: subscription(entry.id)
  params: {
    roles: roles
    installation: installation
  }
}]

module onSubscriptions 'assignments-subscription.bicep' = [for (entry, index) in whole: {
  name: 'tidemark-protected-${installation}-${index}'
  scope: subscription(entry.id)
  params: {
    roles: roles
    identities: identities
    installation: installation
  }
  dependsOn: [definitions]
}]

module onGroups 'assignments-group.bicep' = [for (group, index) in groups: {
  name: 'tidemark-protected-group-${installation}-${index}'
  scope: resourceGroup(split(group, '/')[0], split(group, '/')[1])
  params: {
    roles: roles
    identities: identities
    installation: installation
  }
  dependsOn: [definitions]
}]
