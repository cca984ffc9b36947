// All that the locations of the policy file need: groups for snapshots and for what is restored, manifests, and the
// roles there. Locations may lie in several subscriptions and regions, and may share subscriptions, groups, networks
// and encryption sets. So each of these is listed without repetition first, in small letters, for Azure's names do not
// tell cases apart.
targetScope = 'subscription'

@description('The entries `locations` of the policy file, as items() lists them.')
param locations array

@description('All roles to assign, entries of roles.json as items() lists them.')
param roles array

@description('The four identities, each with its principalId.')
param identities object

@description('What tells this installation apart from others in the same tenant.')
param installation string

@description('How many copies Azure keeps of manifests.')
param redundancy string

@description('For how many days a manifest can be neither changed nor deleted.')
param immutabilityDays int

@description('The names of the locations whose immutability policy has been locked.')
param lockedLocations array

@description('The Log Analytics workspace that hears who read or changed manifests.')
param workspaceId string

@description('Tags of every resource.')
param tags object

// Both groups of each location, written as subscription/group, and beside them in the same order their regions.
var snapshotGroups = map(locations, location => toLower('${location.value.subscription}/${location.value.resource_group}'))
var restoreGroups = map(locations, location => toLower('${location.value.subscription}/${location.value.restore_resource_group}'))
var bothGroups = concat(snapshotGroups, restoreGroups)
var regions = map(locations, location => location.value.region)
var bothRegions = concat(regions, regions)

// union() with nothing removes repetitions.
var subscriptions = union(map(locations, location => toLower(location.value.subscription)), [])
var groups = union(bothGroups, [])
var withSubnet = filter(locations, location => contains(location.value, 'subnet'))
var subnets = union(map(withSubnet, location => toLower(location.value.subnet)), [])
var withEncryptionSet = filter(locations, location => contains(location.value, 'encryption_set'))
var encryptionSets = union(map(withEncryptionSet, location => toLower(location.value.encryption_set)), [])
var withAccount = filter(locations, location => contains(location.value, 'account'))
var accounts = union(map(withAccount, location => toLower(location.value.account)), [])

// Where the roles are that this file assigns, as roles.json calls it.
var wheres = ['snapshots', 'snapshot_subscriptions', 'restores', 'restore_subscriptions', 'networks', 'subnets', 'encryption_sets', 'manifests', 'replicas', 'import_accounts']

module made 'resource-group.bicep' = [for (group, index) in groups: {
  name: 'tidemark-group-${installation}-${index}'
  scope: subscription(split(group, '/')[0])
  params: {
    name: split(group, '/')[1]
    // A group that two locations share lies in the region of the first one.
    region: bothRegions[indexOf(bothGroups, group)]
    tags: tags
  }
}]

module definitions 'role-definitions.bicep' = [for (id, index) in subscriptions: {
  name: 'tidemark-location-roles-${installation}-${index}'
  scope: subscription(id)
  params: {
    roles: filter(roles, role => contains(wheres, role.value.where))
    installation: installation
  }
}]

module onSubscriptions 'assignments-subscription.bicep' = [for (id, index) in subscriptions: {
  name: 'tidemark-subscription-${installation}-${index}'
  scope: subscription(id)
  params: {
    roles: filter(roles, role => role.value.where == 'restore_subscriptions' || role.value.where == 'snapshot_subscriptions')
    identities: identities
    installation: installation
  }
  dependsOn: [definitions]
}]

module onSnapshotGroups 'assignments-group.bicep' = [for (group, index) in union(snapshotGroups, []): {
  name: 'tidemark-snapshots-${installation}-${index}'
  scope: resourceGroup(split(group, '/')[0], split(group, '/')[1])
  params: {
    roles: filter(roles, role => role.value.where == 'snapshots')
    identities: identities
    installation: installation
  }
  dependsOn: [definitions, made]
}]

module onRestoreGroups 'assignments-group.bicep' = [for (group, index) in union(restoreGroups, []): {
  name: 'tidemark-restores-${installation}-${index}'
  scope: resourceGroup(split(group, '/')[0], split(group, '/')[1])
  params: {
    roles: filter(roles, role => role.value.where == 'restores')
    identities: identities
    installation: installation
  }
  dependsOn: [definitions, made]
}]

// One after the other: two subnets of one network would have the same role assigned on it at the same moment.
@batchSize(1)
module onNetworks 'assignments-network.bicep' = [for (subnet, index) in subnets: {
  name: 'tidemark-network-${installation}-${index}'
  scope: resourceGroup(split(subnet, '/')[2], split(subnet, '/')[4])
  params: {
    networkName: split(subnet, '/')[8]
    subnetName: split(subnet, '/')[10]
    networkRoles: filter(roles, role => role.value.where == 'networks')
    subnetRoles: filter(roles, role => role.value.where == 'subnets')
    identities: identities
    installation: installation
  }
  dependsOn: [definitions]
}]

module onEncryptionSets 'assignments-encryption-set.bicep' = [for (id, index) in encryptionSets: {
  name: 'tidemark-encryption-set-${installation}-${index}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    encryptionSetName: split(id, '/')[8]
    roles: filter(roles, role => role.value.where == 'encryption_sets')
    identities: identities
    installation: installation
  }
  dependsOn: [definitions]
}]

// Accounts that a location does not name by ARM id, as those of other tenants, are reached by a SAS alone.
module onReplicas 'assignments-container.bicep' = [for (location, index) in withAccount: {
  name: 'tidemark-replicas-${installation}-${index}'
  scope: resourceGroup(split(location.value.account, '/')[2], split(location.value.account, '/')[4])
  params: {
    accountName: split(location.value.account, '/')[8]
    containerName: last(split(location.value.pages, '/'))
    roles: filter(roles, role => role.value.where == 'replicas')
    identities: identities
    installation: installation
  }
  dependsOn: [definitions]
}]

module onImportAccounts 'assignments-account.bicep' = [for (id, index) in accounts: {
  name: 'tidemark-import-account-${installation}-${index}'
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  params: {
    accountName: split(id, '/')[8]
    roles: filter(roles, role => role.value.where == 'import_accounts')
    identities: identities
    installation: installation
  }
  dependsOn: [definitions]
}]

module manifests 'location.bicep' = [for (location, index) in locations: {
  name: 'tidemark-location-${installation}-${index}'
  scope: resourceGroup(location.value.subscription, location.value.resource_group)
  params: {
    location: location.value
    redundancy: redundancy
    immutabilityDays: immutabilityDays
    isLocked: contains(lockedLocations, location.key)
    roles: filter(roles, role => role.value.where == 'manifests')
    identities: identities
    installation: installation
    workspaceId: workspaceId
    tags: tags
  }
  dependsOn: [definitions, made]
}]
