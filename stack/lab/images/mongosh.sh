#!/bin/bash
# Replaces mongosh: succeeds if the server listens.
exec 3<>/dev/tcp/127.0.0.1/27017
