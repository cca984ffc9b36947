"""What Tidemark looks like in Azure, as Bicep, and the checks that need no Azure."""
