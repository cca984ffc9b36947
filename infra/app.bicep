// What the app is made of: the storage of its host, its catalogue, the function app and its door.

@description('The region of all of it.')
param location string

@description('What tells this installation apart from others in the same tenant.')
param installation string

@description('The version of Python that runs the app.')
param pythonVersion string

@description('The memory of an instance.')
param instanceMemoryMB int

@description('The most instances that Azure may start.')
param maximumInstanceCount int

@description('The client id of the app registration in Entra ID; empty for none.')
param authClientId string

@description('The address ranges (CIDR) that may call the app; everybody may try, if empty.')
param allowedIpRanges array

@description('How many copies Azure keeps of the storage accounts.')
param storageRedundancy string

@description('The roles to assign on the catalogue, entries of roles.json as items() lists them.')
param catalogueRoles array

@description('The four identities, each with its id, clientId and principalId.')
param identities object

@description('The Log Analytics workspace for the logs of the platform.')
param workspaceId string

@secure()
@description('Shared access signatures for accounts of other tenants, by the names of their settings.')
param accountSignatures object

@description('Where Application Insights takes the logs of the app.')
param insightsConnectionString string

@description('Tags of every resource.')
param tags object

module hostAccount 'storage-account.bicep' = {
  name: 'tidemark-host-account-${installation}'
  params: {
    name: 'tidehost${installation}'
    location: location
    redundancy: storageRedundancy
    keeps: 'The package of Tidemark, and all that it is doing at the moment.'
    tags: tags
  }
}

module hostStorage 'host-storage.bicep' = {
  name: 'tidemark-host-storage-${installation}'
  params: {
    name: hostAccount.outputs.name
    runtimePrincipalId: identities.runtime.principalId
    workspaceId: workspaceId
  }
}

module catalogueAccount 'storage-account.bicep' = {
  name: 'tidemark-catalogue-account-${installation}'
  params: {
    name: 'tidebooks${installation}'
    location: location
    redundancy: storageRedundancy
    keeps: 'The catalogue of Tidemark: which restore points there are.'
    tags: tags
  }
}

module definitions 'role-definitions.bicep' = {
  name: 'tidemark-catalogue-roles-${installation}'
  scope: subscription()
  params: {
    roles: catalogueRoles
    installation: installation
  }
}

module catalogue 'catalogue.bicep' = {
  name: 'tidemark-catalogue-${installation}'
  params: {
    name: catalogueAccount.outputs.name
    roles: catalogueRoles
    identities: identities
    installation: installation
    workspaceId: workspaceId
  }
  dependsOn: [definitions]
}

module functionApp 'function-app.bicep' = {
  name: 'tidemark-function-app-${installation}'
  params: {
    name: 'tidemark-${installation}'
    location: location
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    allowedIpRanges: allowedIpRanges
    identities: identities
    hostEndpoints: hostAccount.outputs.endpoints
    packageContainer: '${hostAccount.outputs.endpoints.blob}${hostStorage.outputs.packageContainer}'
    catalogueEndpoint: catalogueAccount.outputs.endpoints.table
    insightsConnectionString: insightsConnectionString
    accountSignatures: accountSignatures
    workspaceId: workspaceId
    tags: tags
  }
  dependsOn: [catalogue] // the app looks into its tables as soon as it runs
}

module signIn 'sign-in.bicep' = {
  name: 'tidemark-sign-in-${installation}'
  params: {
    appName: functionApp.outputs.name
    authClientId: authClientId
  }
}

output name string = functionApp.outputs.name
output hostName string = functionApp.outputs.hostName
