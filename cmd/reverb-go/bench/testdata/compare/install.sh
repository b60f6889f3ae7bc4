#!/usr/bin/env bash
# install.sh FOLDER puts soketi and uWebSockets into a folder, without what they would run or compile there.
set -euo pipefail
cp "$(dirname "$0")/package.json" "$1/"
cd "$1"
npm install --ignore-scripts --no-audit --no-fund --no-package-lock
