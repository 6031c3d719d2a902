#!/bin/bash
# Accepts mongod's arguments, which the stand-in does not know, and starts the stand-in with its own.
exec stand-in --host 0.0.0.0 --port 27017 --storage-path /data/db --log-file-max 64MB --sync-on-commit
