"""Deploy: a registered version becomes the canary, or the first champion."""
