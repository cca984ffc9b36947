// Signing in by Entra ID, in front of the app. Written also without an app registration, as off: the app then answers
// 401 everywhere, and whoever takes the registration away does not leave an old one in place.

@description('The name of the function app.')
param appName string

@description('The client id of the app registration that stands for Tidemark in Entra ID; empty for none.')
param authClientId string

var isConfigured = !empty(authClientId)

var registered = {
  azureActiveDirectory: {
    enabled: true
    registration: {
      clientId: authClientId
      openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
    }
    validation: {
      allowedAudiences: [authClientId, 'api://${authClientId}']
    }
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource signIn 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: isConfigured }
    globalValidation: {
      requireAuthentication: isConfigured
      unauthenticatedClientAction: 'Return401' // this is an API: nobody is sent to a sign-in page
    }
    httpSettings: { requireHttps: true }
    identityProviders: isConfigured ? registered : {}
    login: { tokenStore: { enabled: false } } // the app needs the caller's roles, not the caller's tokens
  }
}
