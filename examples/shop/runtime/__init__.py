"""What every service of the shop needs to run: settings, start and stop, its ledger."""
