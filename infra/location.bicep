// The manifests of one location, in a storage account of its own in the region of the location.

@description('The entry of the location in the policy file.')
param location object

@description('How many copies Azure keeps of the data.')
param redundancy string

@description('For how many days a manifest can be neither changed nor deleted.')
param immutabilityDays int

@description('Whether the immutability policy has been locked.')
param isLocked bool

@description('The roles to assign on the container, entries of roles.json as items() lists them.')
param roles array

@description('The four identities, each with its principalId.')
param identities object

@description('What tells this installation apart from others in the same tenant.')
param installation string

@description('The Log Analytics workspace that hears who read or changed manifests. It may lie in another region.')
param workspaceId string

@description('Tags of every resource.')
param tags object

// The URL of the manifests is https://<account>.blob.<suffix>/<container>. The name of a host may be written in any case,
// that of an account has small letters alone.
var urlParts = split(location.manifests, '/')
var accountName = toLower(split(urlParts[2], '.')[0])

module account 'storage-account.bicep' = {
  name: 'tidemark-account-${accountName}'
  params: {
    name: accountName
    location: location.region
    redundancy: redundancy
    keeps: 'The manifests of Tidemark: without them nobody knows which snapshots make a VM.'
    tags: tags
  }
}

module manifests 'manifests.bicep' = {
  name: 'tidemark-manifests-${accountName}'
  params: {
    accountName: account.outputs.name
    containerName: urlParts[3]
    immutabilityDays: immutabilityDays
    isLocked: isLocked
    roles: roles
    identities: identities
    installation: installation
    workspaceId: workspaceId
  }
}
