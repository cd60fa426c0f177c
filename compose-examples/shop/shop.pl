# A shop in one file: HTTP on port 8080, items in PostgreSQL, a counter of visits in Redis.
#   GET /        count this visit; answer with the number of visits and all items
#   POST /items  store the body as the name of a new item
# With --check: exit 0 if the server in this container answers.
use strict;
use warnings;
use IO::Socket::INET;

if (@ARGV && $ARGV[0] eq '--check') {
    my $web = IO::Socket::INET->new(PeerAddr => '127.0.0.1:8080', Timeout => 3) or die "nobody listens: $@\n";
    print $web "GET /health HTTP/1.0\r\n\r\n";
    exit(<$web> =~ / 200 / ? 0 : 1);
}

if (open my $secret, '<', '/run/secrets/db_password') {
    chomp($ENV{PGPASSWORD} = <$secret>);
}
# Process 1 gets no default signal handlers, and `down` should not have to wait.
$SIG{TERM} = $SIG{INT} = sub { exit 0 };
$SIG{CHLD} = 'IGNORE';
$| = 1;

# The rows of one statement as text, or nothing when it failed (psql says why in the log).
sub sql {
    my ($statement) = @_;
    local $SIG{CHLD} = 'DEFAULT';
    open my $psql, '-|', 'psql', '-qAtX', '-v', 'ON_ERROR_STOP=1', '-c', $statement or return;
    my $rows = do { local $/; <$psql> };
    return close($psql) ? $rows // '' : undef;
}

# One Redis command, for those that answer with a number.
sub redis {
    my $cache = IO::Socket::INET->new(PeerAddr => "$ENV{REDIS_HOST}:6379", Timeout => 3) or return;
    print $cache join(' ', @_), "\r\n";
    return (<$cache> // '') =~ /^:(\d+)/ ? $1 : undef;
}

sub respond {
    my ($method, $path, $body) = @_;
    return (200, '{"ok":true}') if $path eq '/health';
    if ($method eq 'POST' && $path eq '/items') {
        # As hexadecimal digits no text can break out of the statement.
        my $name = unpack 'H*', $body;
        my $row = sql("insert into items (name) values (convert_from(decode('$name', 'hex'), 'UTF8')) "
            . "returning json_build_object('id', id, 'name', name)");
        return defined $row ? (201, $row) : (500, '{"error":"the database did not take it"}');
    }
    if ($method eq 'GET' && $path eq '/') {
        my $visits = redis('INCR', 'visits');
        my $items = sql("select coalesce(json_agg(json_build_object('id', id, 'name', name) order by id), '[]') from items");
        return (500, '{"error":"database or cache do not answer"}') unless defined $visits && defined $items;
        chomp $items;
        return (200, qq({"visits":$visits,"items":$items}));
    }
    return (404, '{"error":"there is GET / and POST /items"}');
}

defined sql('set client_min_messages to warning; create table if not exists items (id serial primary key, name text not null)')
    or die "cannot prepare the database\n";
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die "cannot listen: $!\n";
print "shop: listening on 8080\n";

while (1) {
    my $client = $server->accept or next;
    if (fork) { close $client; next }
    alarm 10;
    my ($method, $path) = (<$client> // '') =~ m{^(\S+) (\S+)} or exit;
    my $length = 0;
    while (defined(my $header = <$client>)) {
        last if $header =~ /^\r?\n$/;
        $length = $1 if $header =~ /^content-length:\s*(\d+)/i;
    }
    $length = 65536 if $length > 65536;
    my $body = '';
    read $client, $body, $length if $length;
    my ($status, $answer) = respond($method, $path, $body);
    chomp $answer;
    print $client "HTTP/1.0 $status shop\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n$answer\n";
    print "$method $path $status\n";
    exit;
}
