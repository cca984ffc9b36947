// One resource group in a subscription of its own choosing.
targetScope = 'subscription'

@description('The name of the resource group.')
param name string

@description('The region that keeps the records of the group. It cannot be changed later.')
param region string

@description('Tags of the group; they replace those it has.')
param tags object

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: name
  location: region
  tags: tags
}
