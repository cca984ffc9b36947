// Where the app's logs go: a Log Analytics workspace with Application Insights on top of it, and the alerts on them.

@description('The region of the app.')
param location string

@description('What tells this installation apart from others in the same tenant.')
param installation string

@minValue(30)
@maxValue(730)
@description('For how many days logs are kept.')
param retentionDays int

@description('Who gets a mail when an alert fires.')
param emails array

@description('The identity that the app writes its logs as.')
param runtimePrincipalId string

@description('Tags of every resource.')
param tags object

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher, which logs need as well

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'tidemark-logs-${installation}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: 'tidemark-insights-${installation}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // The connection string says where logs go, and is no key: who writes there must sign in.
    DisableLocalAuth: true
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, metricsPublisher, runtimePrincipalId)
  scope: component
  properties: {
    principalId: runtimePrincipalId
    principalType: 'ServicePrincipal' // said, because Entra ID may not have heard of a new identity everywhere yet
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}

module alerts 'alerts.bicep' = {
  name: 'tidemark-alerts-${installation}'
  params: {
    location: location
    installation: installation
    workspaceId: workspace.id
    emails: emails
    tags: tags
  }
}

output workspaceId string = workspace.id
output workspaceName string = workspace.name
output connectionString string = component.properties.ConnectionString
