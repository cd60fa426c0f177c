# An HTTP server in a few lines of Perl without modules beyond perl-base: answers every request with the greeting.
# With --check: exit 0 if the server in this container answers.
use strict;
use warnings;
use IO::Socket::INET;

if (@ARGV && $ARGV[0] eq '--check') {
    my $web = IO::Socket::INET->new(PeerAddr => '127.0.0.1:8080', Timeout => 3) or die "nobody listens: $@\n";
    print $web "GET / HTTP/1.0\r\n\r\n";
    exit(<$web> =~ / 200 / ? 0 : 1);
}

# Process 1 gets no default signal handlers, and `down` should not have to wait.
$SIG{TERM} = $SIG{INT} = sub { exit 0 };
$SIG{CHLD} = 'IGNORE';
$| = 1;
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die "cannot listen: $!\n";
print "listening on 8080\n";
while (1) {
    my $client = $server->accept or next;
    if (fork) { close $client; next }
    alarm 10;
    while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n$/ }
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n$ENV{GREETING}\n";
    exit;
}
