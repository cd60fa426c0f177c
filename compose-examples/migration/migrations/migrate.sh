# Applies every migration once, in the order of the file names, each in one transaction with the note that it was applied.
set -eu
psql -qX -v ON_ERROR_STOP=1 -c 'set client_min_messages to warning; create table if not exists applied (file text primary key)'
for file in /migrations/*.sql; do
    name=$(basename "$file")
    if [ -n "$(psql -AtX -c "select 1 from applied where file = '$name'")" ]; then
        echo "$name: already applied"
        continue
    fi
    psql -qX -v ON_ERROR_STOP=1 --single-transaction -f "$file" -c "insert into applied values ('$name')"
    echo "$name: applied"
done
