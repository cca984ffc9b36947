// The function app on a Flex Consumption plan, and its settings.

@description('The name of the app, unique in all of Azure. The first 32 characters tell apps on one storage account apart.')
@maxLength(32)
param name string

@description('The region of the app.')
param location string

@description('The version of Python that runs the app.')
param pythonVersion string

@description('The memory of an instance.')
param instanceMemoryMB int

@description('The most instances that Azure may start.')
param maximumInstanceCount int

@description('The address ranges (CIDR) that may call the app; everybody may try, if empty.')
param allowedIpRanges array

@description('The four identities, each with its id and clientId.')
param identities object

@description('The URL of each service of the storage account of the host: blob, queue, table.')
param hostEndpoints object

@description('The URL of the container that the package of the app is put into.')
param packageContainer string

@description('The tables of the catalogue.')
param catalogueEndpoint string

@secure()
@description('Shared access signatures for accounts of other tenants, by the names of their settings.')
param accountSignatures object

@description('Where Application Insights takes logs.')
param insightsConnectionString string

@description('The Log Analytics workspace for what the host itself logs.')
param workspaceId string

@description('Tags of every resource.')
param tags object

var callers = [for (range, index) in allowedIpRanges: {
  name: 'allowed-${index}'
  action: 'Allow'
  priority: 100 + index
  ipAddress: range
}]

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: '${name}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true } // Linux
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'tidemark' }) // by which azd finds the app that it deploys to
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identities.runtime.id}': {}
      '${identities.backup.id}': {}
      '${identities.retention.id}': {}
      '${identities.restore.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identities.runtime.id // reads signatures, where a setting refers to a key vault
    publicNetworkAccess: 'Enabled'
    // Closes /admin, which answers to the keys of the host. Real, but absent from Bicep's type of a site.
    #disable-next-line BCP037
    functionsRuntimeAdminIsolationEnabled: true
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      ipSecurityRestrictions: callers
      ipSecurityRestrictionsDefaultAction: empty(allowedIpRanges) ? 'Allow' : 'Deny'
      // Deployments come from build machines with changing addresses; they sign in by Entra ID.
      scmIpSecurityRestrictionsUseMain: false
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainer
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identities.runtime.id }
        }
      }
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // Microsoft's advice for Durable Functions on queues: without one that is always there, work waits for a look.
        alwaysReady: [{ name: 'durable', instanceCount: 1 }]
      }
    }
  }
}

// User names and passwords for deployments: neither way is used, both are closed. Azure refuses both resources without
// a location, though Bicep's types have none (Azure/bicep issue 7396). And it refuses to change a site that is being
// changed, so what belongs to the site is written one after the other, the sign-in last (app.bicep).
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  #disable-next-line BCP187
  location: location
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  #disable-next-line BCP187
  location: location
  properties: { allow: false }
  dependsOn: [ftp]
}

module settings 'app-settings.bicep' = {
  name: 'tidemark-settings-${name}'
  params: {
    appName: app.name
    identities: identities
    hostEndpoints: hostEndpoints
    catalogueEndpoint: catalogueEndpoint
    insightsConnectionString: insightsConnectionString
    accountSignatures: accountSignatures
  }
  dependsOn: [scm]
}

// What the host says when it cannot reach Application Insights.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'tidemark'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
