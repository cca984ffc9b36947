// Puts Tidemark into Azure. What it protects, and where, is in policies.yaml, which the app runs with, too.
targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('The name of this installation; its resource group is called after it.')
param environmentName string

@metadata({ azd: { type: 'location' } })
@description('The region of the app and its catalogue. Take one that a policy copies to, a recovery region: if a home region is lost, what restores from elsewhere must not be lost with it.')
param location string

@allowed(['3.11', '3.12'])
@description('The version of Python that runs the app.')
param pythonVersion string = '3.11'

@allowed([512, 2048, 4096])
@description('The memory of an instance; a quarter of a core comes with 512, one core with 2048.')
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
@description('The most instances that Azure may start. 40 is the least that Azure accepts.')
param maximumInstanceCount int = 40

@description('The client id of the app registration that stands for Tidemark in Entra ID. Without it every route answers 401.')
param authClientId string = ''

@description('The address ranges (CIDR, such as 203.0.113.0/24) that may call the app. Everybody may try to sign in, if empty.')
param allowedIpRanges array = []

@secure()
@description('Shared access signatures for storage accounts of other tenants, by the names of their settings, such as TIDEMARK_SAS_BACKUP_theiraccount. None are needed for accounts that the identities have roles on.')
param accountSignatures object = {}

@description('Who gets a mail when an alert fires. Alerts are in the portal only, if empty.')
param alertEmails array = []

@minValue(1)
@maxValue(146000)
@description('For how many days a manifest can be neither changed nor deleted. It should be less than any policy keeps restore points for.')
param manifestImmutabilityDays int = 7

@description('The locations of the policy file whose immutability policy has been locked. A locked policy refuses to be written again.')
param lockedLocations array = []

@description('Whether the app may make VMs and network interfaces, and not only disks.')
param allowVmRestore bool = false

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('How many copies Azure keeps of the storage accounts. Take Standard_LRS where a region has no availability zones.')
param storageRedundancy string = 'Standard_ZRS'

@minValue(30)
@maxValue(730)
@description('For how many days logs are kept.')
param logRetentionDays int = 90

@description('Tags of every resource and of every resource group; those of a group that is there already are replaced.')
param tags object = {}

// any(): which fields an entry has is for the app to check, with words; here, a field may be absent.
var policyFile = any(loadYamlContent('../policies.yaml'))
var allRoles = items(any(loadJsonContent('roles.json')))
var roles = filter(allRoles, role => allowVmRestore || role.value.optIn == null)

// Not changed by a second deployment, and another one for each environment, region and subscription.
var installation = uniqueString(subscription().id, environmentName, location)

var homeRegions = map(items(policyFile.policies), policy => policyFile.locations[policy.value.home].region)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'tidemark-${environmentName}'
  location: location
  tags: union(tags, { 'azd-env-name': environmentName }) // by which azd finds the group
}

module identities 'identities.bicep' = {
  name: 'tidemark-identities-${installation}'
  scope: group
  params: {
    location: location
    installation: installation
    tags: tags
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'tidemark-monitoring-${installation}'
  scope: group
  params: {
    location: location
    installation: installation
    retentionDays: logRetentionDays
    emails: alertEmails
    runtimePrincipalId: identities.outputs.identities.runtime.principalId
    tags: tags
  }
}

module app 'app.bicep' = {
  name: 'tidemark-app-${installation}'
  scope: group
  params: {
    location: location
    installation: installation
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    authClientId: authClientId
    allowedIpRanges: allowedIpRanges
    storageRedundancy: storageRedundancy
    catalogueRoles: filter(roles, role => role.value.where == 'catalogue')
    identities: identities.outputs.identities
    workspaceId: monitoring.outputs.workspaceId
    insightsConnectionString: monitoring.outputs.connectionString
    accountSignatures: accountSignatures
    tags: tags
  }
}

module protection 'protection.bicep' = {
  name: 'tidemark-protection-${installation}'
  params: {
    subscriptions: policyFile.subscriptions
    roles: filter(roles, role => role.value.where == 'protected')
    identities: identities.outputs.identities
    installation: installation
  }
}

module locations 'locations.bicep' = {
  name: 'tidemark-locations-${installation}'
  params: {
    locations: items(policyFile.locations)
    roles: roles
    identities: identities.outputs.identities
    installation: installation
    redundancy: storageRedundancy
    immutabilityDays: manifestImmutabilityDays
    lockedLocations: lockedLocations
    workspaceId: monitoring.outputs.workspaceId
    tags: tags
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_NAME string = app.outputs.name
output TIDEMARK_URL string = 'https://${app.outputs.hostName}/api/v1'
output TIDEMARK_LOGS string = monitoring.outputs.workspaceName
output TIDEMARK_SIGN_IN string = empty(authClientId) ? 'Sign-in is not configured: every route answers 401 until authClientId is given.' : 'Sign-in is configured: callers need a token of Entra ID for ${authClientId} and one of its app roles.'
output TIDEMARK_REGION string = contains(homeRegions, location) ? 'The app is in a home region: if ${location} is lost, nothing can be restored until the app is deployed elsewhere.' : 'The app is outside every home region.'
output TIDEMARK_ALERTS string = empty(alertEmails) ? 'Alerts are in the portal only: nobody gets a mail until alertEmails is given.' : 'Alerts go to ${join(alertEmails, ', ')}.'
