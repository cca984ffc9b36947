// One alert for each event of domain/events.py; alerts.json says when each fires and how bad it is.

@description('The region of the workspace.')
param location string

@description('What tells this installation apart from others in the same tenant.')
param installation string

@description('The Log Analytics workspace that has the events.')
param workspaceId string

@description('Who gets a mail. Nobody, if empty: alerts are then in the portal only.')
param emails array

@description('Tags of every resource.')
param tags object

var alerts = items(any(loadJsonContent('alerts.json')))

// An event is one line of JSON, the message of a log record.
var written = 'AppTraces | extend line = parse_json(Message) | where tostring(line.event) =='
var rows = {
  event: '| project TimeGenerated, subject = tostring(line.subject), message = tostring(line.message)'
  // One row when there is none, so that silence does not hang on what Azure makes of a query without rows.
  silence: '| summarize lines = count() | where lines == 0'
}

var receivers = [for (email, index) in emails: {
  name: 'mail-${index}'
  emailAddress: email
  useCommonAlertSchema: true
}]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'tidemark-people-${installation}'
  location: 'global' // or mails would stop with a region
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'tidemark' // at most 12 characters
    emailReceivers: receivers
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alert in alerts: {
  name: 'tidemark-${alert.key}-${installation}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Tidemark: ${alert.value.title}'
    description: '${alert.value.meaning} What to do: docs/alerts/${alert.key}.md'
    severity: alert.value.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: alert.value.frequency
    windowSize: alert.value.window
    // A new workspace may not know its tables yet; the queries are checked before they are deployed.
    skipQueryValidation: true
    // Windows overlap, for logs arrive late. Without this, each look would send the same mail again.
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: '${written} "${alert.key}" ${rows[alert.value.firesOn]}'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: {
      actionGroups: [people.id]
    }
  }
}]
