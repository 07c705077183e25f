#!/bin/bash
# PostgreSQL's image runs this once, on an empty volume: a database and a user each for Keepwell's store and for MLflow.
set -euo pipefail

for name in keepwell mlflow; do
    password=${name^^}_DB_PASSWORD
    psql --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set name="$name" --set password="${!password}" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
