// All settings of the app: what was set by hand is gone after the next deployment.

@description('The name of the function app.')
param appName string

@description('The four identities, each with its clientId.')
param identities object

@description('The URL of each service of the storage account of the host: blob, queue, table.')
param hostEndpoints object

@description('The tables of the catalogue.')
param catalogueEndpoint string

@description('Where Application Insights takes logs.')
param insightsConnectionString string

@secure()
@description('Shared access signatures for accounts of other tenants, by the names of their settings.')
param accountSignatures object

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union({
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identities.runtime.clientId
    AzureWebJobsStorage__blobServiceUri: hostEndpoints.blob
    AzureWebJobsStorage__queueServiceUri: hostEndpoints.queue
    AzureWebJobsStorage__tableServiceUri: hostEndpoints.table
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identities.runtime.clientId};Authorization=AAD'
    PYTHON_THREADPOOL_THREAD_COUNT: '16' // more than host.json lets run at once, so that long activities block nothing
    TIDEMARK_CATALOGUE: catalogueEndpoint
    TIDEMARK_POLICIES: 'policies.yaml'
    TIDEMARK_MANAGEMENT_ENDPOINT: environment().resourceManager
    TIDEMARK_COST_PER_REQUEST: '' // empty: by the limits of one page blob
    TIDEMARK_COST_PER_BYTE: ''
    TIDEMARK_IDENTITY_RUNTIME: identities.runtime.clientId
    TIDEMARK_IDENTITY_BACKUP: identities.backup.clientId
    TIDEMARK_IDENTITY_RETENTION: identities.retention.clientId
    TIDEMARK_IDENTITY_RESTORE: identities.restore.clientId
  }, accountSignatures)
}
