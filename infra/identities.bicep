// The four identities that the app signs in as. None of them both writes and deletes backups.

@description('Where the identities are kept. They work everywhere.')
param location string

@description('What tells this installation apart from others in the same tenant.')
param installation string

@description('Tags of every resource.')
param tags object

resource runtime 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'tidemark-runtime-${installation}'
  location: location
  tags: tags
}

resource backup 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'tidemark-backup-${installation}'
  location: location
  tags: tags
}

resource retention 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'tidemark-retention-${installation}'
  location: location
  tags: tags
}

resource restore 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'tidemark-restore-${installation}'
  location: location
  tags: tags
}

@description('Each identity under the name that roles.json gives it.')
output identities object = {
  runtime: {
    id: runtime.id
    clientId: runtime.properties.clientId
    principalId: runtime.properties.principalId
  }
  backup: {
    id: backup.id
    clientId: backup.properties.clientId
    principalId: backup.properties.principalId
  }
  retention: {
    id: retention.id
    clientId: retention.properties.clientId
    principalId: retention.properties.principalId
  }
  restore: {
    id: restore.id
    clientId: restore.properties.clientId
    principalId: restore.properties.principalId
  }
}
