// A storage account that only identities may use, and that nobody deletes by mistake.

@minLength(3)
@maxLength(24)
@description('The name of the account, unique in all of Azure.')
param name string

@description('Its region.')
param location string

@description('How many copies Azure keeps of the data.')
param redundancy string

@description('What is lost with the account: who tries to delete it reads this.')
param keeps string

@description('Tags of the account.')
param tags object

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // The app has no network of its own, so the door of the account is the caller's identity.
    publicNetworkAccess: 'Enabled'
    networkAcls: { defaultAction: 'Allow', bypass: 'None' }
  }
}

// On the account and never on the group around it: there, it would keep pruning from deleting snapshots. A group
// cannot be deleted either while something in it is locked.
resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'tidemark-keep'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: keeps
  }
}

output name string = account.name

@description('The URL of each service of the account: blob, queue, table.')
output endpoints object = account.properties.primaryEndpoints
