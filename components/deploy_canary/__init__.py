"""Step `deploy_canary`: makes a registered version the canary, or the first champion."""
