"""Recipes of the servers that keep data: directories, databases, caches, queues, and the web."""
from servers import CERTIFICATE, KEY, Server, tls_files

SLAPD = f"""\
include /etc/ldap/schema/core.schema
pidfile /run/slapd.pid
modulepath /usr/lib/ldap
moduleload back_ldif
TLSCertificateFile {CERTIFICATE}
TLSCertificateKeyFile {KEY}
TLSCACertificateFile /holdfast/ca.pem
"""
SLAPD_PLAIN = """\
include /etc/ldap/schema/core.schema
"""


def slapd(folder, authority, good):
    """LDAP: with TLS on port 389 (and 636), without on 2389, demanding a client certificate on 2390."""
    script = """
        slapd -d 0 -f /holdfast/plain.conf -h ldap://127.0.0.1:2389 &
        slapd -d 0 -f /holdfast/client.conf -h ldap://127.0.0.1:2390 &
        slapd -d 0 -f /holdfast/tls.conf -h 'ldap://127.0.0.1:389 ldaps://127.0.0.1:636'
    """
    files = {"tls.conf": SLAPD, "plain.conf": SLAPD_PLAIN, "client.conf": SLAPD + "TLSVerifyClient demand\n"}
    return Server(folder, script, files, (389, 636, 2389, 2390), tls_files(authority, good))


POSTGRES_HBA = """\
local all all trust
hostssl all stranger 127.0.0.1/32 reject
host all guest,homeless 127.0.0.1/32 trust
hostssl all all 127.0.0.1/32 scram-sha-256
"""


def postgres(folder, authority, good, bad):
    """PostgreSQL: with TLS on port 5432, without on 5433, with `bad` on 5434.  Role guest needs no password, homeless has
    no database, stranger is refused, somebody has a password."""
    script = """
        chmod 755 /holdfast
        base=/var/lib/postgresql/15/main
        bin=/usr/lib/postgresql/15/bin
        for one in server bad; do
            chown postgres /holdfast/$one.key
            chmod 600 /holdfast/$one.key
        done
        chmod 700 $base
        printf 'create role %s login\\n' guest homeless stranger "somebody password 'secret'" >/tmp/roles
        echo "create database guest" | cat /tmp/roles - |
            runuser -u postgres -- $bin/postgres --single -D $base -c config_file=/etc/postgresql/15/main/postgresql.conf \
                -c data_directory=$base postgres >/dev/null
        cp -a $base /tmp/plain
        cp -a $base /tmp/bad
        start() {
            data=$1 port=$2
            shift 2
            runuser -u postgres -- $bin/postgres -D $data -p $port -c config_file=/etc/postgresql/15/main/postgresql.conf \
                -c data_directory=$data -c hba_file=/holdfast/hba.conf -c unix_socket_directories=/tmp -c fsync=off \
                -c external_pid_file=$data.pid -c shared_buffers=8MB -c listen_addresses=127.0.0.1 "$@"
        }
        start /tmp/plain 5433 -c ssl=off &
        start /tmp/bad 5434 -c ssl=on -c ssl_cert_file=/holdfast/bad.pem -c ssl_key_file=/holdfast/bad.key &
        start $base 5432 -c ssl=on -c ssl_cert_file=/holdfast/server.pem -c ssl_key_file=/holdfast/server.key \
            -c ssl_ca_file=/holdfast/ca.pem
    """
    copies = {**tls_files(authority, good), "bad.pem": bad.certificate_file, "bad.key": bad.key_file}
    return Server(folder, script, {"hba.conf": POSTGRES_HBA}, (5432, 5433, 5434), copies)


MARIADB_USERS = """\
create user guest@'%';
create user secure@'%' require ssl;
create user somebody@'%' identified by 'secret';
"""


def mariadb(folder, authority, good):
    """MariaDB: with TLS on port 3306, without on 3307, with TLS and room for ten on 3308; 3309 lets nobody of this host in."""
    script = """
        for name in plain full strict; do
            mkdir /tmp/$name
            mariadb-install-db --no-defaults --user=mysql --datadir=/tmp/$name --skip-test-db \
                --innodb-log-file-size=4M >/dev/null 2>&1 &
        done
        wait
        chown mysql /holdfast/server.key
        start() {
            data=$1 port=$2
            shift 2
            mariadbd --no-defaults --user=mysql --datadir=$data --port=$port --socket=$data/sock --pid-file=$data/pid \
                --bind-address=127.0.0.1 --skip-name-resolve --innodb-buffer-pool-size=8M --innodb-log-file-size=4M \
                --innodb-flush-method=nosync "$@"
        }
        tls='--ssl-cert=/holdfast/server.pem --ssl-key=/holdfast/server.key --ssl-ca=/holdfast/ca.pem'
        start /tmp/plain 3307 --init-file=/holdfast/users.sql &
        start /tmp/full 3308 --init-file=/holdfast/users.sql --max-connections=10 --connect-timeout=3600 $tls &
        start /tmp/strict 3309 $tls &
        start /var/lib/mysql 3306 --init-file=/holdfast/users.sql $tls
    """
    return Server(folder, script, {"users.sql": MARIADB_USERS}, (3306, 3307, 3308, 3309), tls_files(authority, good))


REDIS = """\
save ""
daemonize no
dir /tmp
loglevel warning
"""
REDIS_TLS = f"tls-cert-file {CERTIFICATE}\ntls-key-file {KEY}\ntls-ca-cert-file /holdfast/ca.pem\ntls-auth-clients no\n"


def redis(folder, authority, good):
    """Redis: plain on port 6379 and TLS on 6380; with a password on 6381; with room for one client on 6382; demanding a client
    certificate on 6383; one that has lost its master on 6384; one for tests to disturb on 6385."""
    files = {
        "open.conf": REDIS + REDIS_TLS + "port 6379\ntls-port 6380\nprotected-mode yes\nbind 0.0.0.0\n"
        + "unixsocket /holdfast/redis.sock\nunixsocketperm 777\n",
        "password.conf": REDIS + "port 6381\nbind 127.0.0.1\nrequirepass secret\n",
        "full.conf": REDIS + "port 6382\nbind 127.0.0.1\nmaxclients 1\n",
        "client.conf": REDIS + REDIS_TLS.replace("clients no", "clients yes") + "port 0\ntls-port 6383\nbind 127.0.0.1\n",
        "disturbed.conf": REDIS + "port 6385\nbind 127.0.0.1\nreplica-serve-stale-data no\n",
        "replica.conf": REDIS + "port 6384\nbind 127.0.0.1\nreplicaof 127.0.0.1 1\nreplica-serve-stale-data no\n",
    }
    script = """
        for name in password full client replica disturbed; do
            redis-server /holdfast/$name.conf &
        done
        redis-server /holdfast/open.conf
    """
    return Server(folder, script, files, (6379, 6380, 6381, 6382, 6383, 6384, 6385), tls_files(authority, good))


def memcached(folder, authority, good):
    """memcached: plain on port 11211, TLS on 11212, with a password (in its text protocol) on 11213."""
    script = f"""
        chmod 755 /holdfast
        chmod 644 /holdfast/server.key
        echo somebody:secret >/holdfast/users
        memcached -u memcache -l 127.0.0.1 -p 11211 -U 0 &
        memcached -u memcache -l 127.0.0.1 -p 11213 -U 0 -Y /holdfast/users &
        memcached -u memcache -l 127.0.0.1 -p 11212 -U 0 -Z -o ssl_chain_cert={CERTIFICATE},ssl_key={KEY}
    """
    return Server(folder, script, {}, (11211, 11212, 11213), tls_files(authority, good))


MOSQUITTO = """\
per_listener_settings true
persistence false
log_dest stderr
listener 1883 127.0.0.1
allow_anonymous true
listener 8883 127.0.0.1
allow_anonymous true
certfile /holdfast/server.pem
keyfile /holdfast/server.key
listener 1884 127.0.0.1
allow_anonymous false
listener 1885 127.0.0.1
allow_anonymous true
max_connections 1
listener 8884 127.0.0.1
allow_anonymous true
certfile /holdfast/server.pem
keyfile /holdfast/server.key
cafile /holdfast/ca.pem
require_certificate true
"""


def mosquitto(folder, authority, good):
    """MQTT: plain on port 1883, TLS on 8883; only with a login on 1884, full after one on 1885, a client certificate on 8884."""
    script = """
        chmod 755 /holdfast
        chmod 644 /holdfast/server.key
        mosquitto -c /holdfast/mosquitto.conf
    """
    return Server(folder, script, {"mosquitto.conf": MOSQUITTO}, (1883, 8883, 1884, 1885, 8884), tls_files(authority, good))


NGINX = """\
daemon off;
worker_processes 1;
error_log stderr notice;
pid /run/nginx.pid;
events { }
http {
    access_log off;
    ssl_certificate /holdfast/server.pem;
    ssl_certificate_key /holdfast/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {
        listen 127.0.0.1:80;
        listen 127.0.0.1:443 ssl http2;
        location / { return 200 "all is well\\n"; }
        location /moved { return 301 /; }
        location /login { auth_basic "who?"; auth_basic_user_file /holdfast/nobody; }
        location /forbidden { return 403; }
        location /missing { return 404; }
        location /broken { return 503; }
        location /empty { return 204; }
        location /hangs-up { return 444; }
    }
    # No site for other names: the handshake is refused by alert 112.
    server {
        listen 127.0.0.1:4431 ssl default_server;
        ssl_reject_handshake on;
    }
    server {
        listen 127.0.0.1:4431 ssl;
        server_name site.test;
        location / { return 200; }
    }
    # A client certificate is demanded, but by HTTP.
    server {
        listen 127.0.0.1:4432 ssl;
        ssl_verify_client on;
        ssl_client_certificate /holdfast/ca.pem;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:4433 ssl;
        ssl_protocols TLSv1.2;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:4434 ssl;
        ssl_certificate /holdfast/bad.pem;
        ssl_certificate_key /holdfast/bad.key;
        location / { return 200; }
    }
    server {
        listen 127.0.0.1:4435 ssl proxy_protocol;
        location / { return 200 "$proxy_protocol_addr\\n"; }
    }
}
"""


def nginx(folder, authority, good, bad):
    """A web server with as many ways to fail as ports; see NGINX."""
    copies = {**tls_files(authority, good), "bad.pem": bad.certificate_file, "bad.key": bad.key_file}
    files = {"nginx.conf": NGINX, "nobody": ""}
    return Server(folder, "nginx -c /holdfast/nginx.conf", files, (80, 443, 4431, 4432, 4433, 4434, 4435), copies)
