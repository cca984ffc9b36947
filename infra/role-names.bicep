// The name of a role definition is needed where it is made and wherever it is assigned, so it is derived in one place.

@export()
@description('The name of a custom role, a GUID. Azure keeps it unique in the whole tenant, so it differs by subscription and by installation.')
func roleName(subscriptionId string, installation string, role string) string => guid(subscriptionId, installation, role)
