/*
 * Likely causes and remedies of the codes of the class tls: A(ID, stages, causes, remedies), see
 * core/failure_advice.h.
 */
#pragma once

/* clang-format off */
#define ADVICE_TLS_LIST(A) \
	A(TLS_NOT_TLS, AT(HANDSHAKE), \
	  SAYS("The port speaks plain text at first, and TLS has to be asked for (STARTTLS).", \
	       "It is the wrong port: 25 for 465, 143 for 993, 389 for 636, 80 for 443.", \
	       "TLS is switched off at the server, or a proxy or captive portal answers in its " \
	       "place.", \
	       "The server expects the header of the PROXY protocol first."), \
	  SAYS("`holdfastctl check PROTOCOL+starttls://HOST:PORT`; if it works, set `starttls`.", \
	       "`nc HOST PORT` shows what the server says by itself.", \
	       "Use the protocol's port for TLS, or `tls = false` where plain text is meant.", \
	       "Compare `proxy_protocol` with what the server expects.")) \
	A(TLS_CLOSED, AT(HANDSHAKE), \
	  SAYS("The port speaks another protocol, or TLS only after STARTTLS: the server did " \
	       "not understand us.", \
	       "A TLS balancer does not know the name that is sent (SNI), or its backend is " \
	       "down.", \
	       "An access list or a limit of connections: the server closes without a word.", \
	       "The server expects the header of the PROXY protocol first."), \
	  SAYS("`openssl s_client -connect HOST:PORT -servername NAME`, with other names, and " \
	       "with `-starttls PROTOCOL`.", \
	       "`holdfastctl check --sni=NAME tls://HOST:PORT`; then `tls.sni`.", \
	       "The server's and the balancer's log at that time.", \
	       "Compare `proxy_protocol` with what the server expects.")) \
	A(TLS_RESET, AT(HANDSHAKE), \
	  SAYS("A middlebox resets on the name in the ClientHello, or on TLS as such.", \
	       "The server's process crashed or was restarted.", \
	       "A balancer is overloaded, or has no backend.", \
	       "The port speaks another protocol, and the server dropped what it could not " \
	       "read."), \
	  SAYS("`tcpdump -ni any host ADDRESS and port PORT` on both ends: who sends the reset?", \
	       "`openssl s_client -connect HOST:PORT` with and without `-servername NAME`.", \
	       "`journalctl -u SERVER` on the server.")) \
	A(TLS_VERSION, AT(HANDSHAKE), \
	  SAYS("An old server offers TLS 1.0 or 1.1 only; the default of `min_version` is 1.2.", \
	       "`min_version` is 1.3, and the server ends at 1.2.", \
	       "`max_version` is lower than what the server demands."), \
	  SAYS("`openssl s_client -connect HOST:PORT -tls1_2`, and `-tls1_3`: which of them " \
	       "works?", \
	       "`holdfastctl check --min-version=1.0 tls://HOST:PORT`.", \
	       "Better raise the server's version; else lower `tls.min_version`, and with it " \
	       "`tls.security_level` to 0.")) \
	A(TLS_NO_OVERLAP, AT(HANDSHAKE), \
	  SAYS("`tls.ciphers`, `tls.ciphersuites`, `tls.groups` or `tls.signature_algorithms` " \
	       "leave nothing that the server takes.", \
	       "An old server has only ciphers (RSA key exchange, CBC, 3DES) that this host's " \
	       "OpenSSL no longer offers.", \
	       "The server has no certificate for that name or of that kind of key.", \
	       "The server wants a client certificate, or a pre-shared key, and says only " \
	       "\"handshake failure\"."), \
	  SAYS("`openssl s_client -connect HOST:PORT -servername NAME`, then with `-cipher " \
	       "'ALL:@SECLEVEL=0'`.", \
	       "`nmap --script ssl-enum-ciphers -p PORT HOST` lists what the server takes.", \
	       "Take the keys named above out of the upstream, one after the other.", \
	       "The server's log says what it missed (`no shared cipher`).")) \
	A(TLS_WEAK_PARAMETERS, AT(HANDSHAKE), \
	  SAYS("The server uses Diffie-Hellman with 1024 bits or fewer.", \
	       "It signs with SHA-1 or with a key that is too short.", \
	       "`tls.security_level`, or the policy of this host's OpenSSL, is strict."), \
	  SAYS("`openssl s_client -connect HOST:PORT` shows `Server Temp Key` and the digest of " \
	       "the peer's signature.", \
	       "At the server: new DH parameters of 2048 bits, or ECDHE; a new certificate.", \
	       "Lower `tls.security_level` for this upstream until then.")) \
	A(TLS_ALPN, AT(HANDSHAKE), \
	  SAYS("The server does not speak the protocol in `tls.alpn` (h2 is off, a typing " \
	       "error).", \
	       "A balancer in front of it decrypts and offers fewer protocols.", \
	       "The server ignores ALPN, and `tls.alpn_required` insists on it."), \
	  SAYS("`openssl s_client -connect HOST:PORT -servername NAME -alpn h2,http/1.1`: what " \
	       "is selected?", \
	       "Correct `tls.alpn`, or set `tls.alpn_required = false`.", \
	       "Switch the protocol on at the server.")) \
	A(TLS_NAME_REFUSED, AT(HANDSHAKE), \
	  SAYS("The server has no site of that name: it is not configured yet, or under another " \
	       "name.", \
	       "`address` holds an internal name or a number, and the server knows the public " \
	       "name only.", \
	       "The name leads to the wrong server or balancer."), \
	  SAYS("Set `tls.sni` (and `tls.verify_name`) to the name that the server knows.", \
	       "`holdfastctl check --name=NAME tls://HOST:PORT`.", \
	       "At the server: server_name (nginx), ServerName (apache), the frontend's " \
	       "certificates (haproxy).")) \
	A(TLS_PSK_REJECTED, AT(HANDSHAKE), \
	  SAYS("The server breaks off over a session that we resume, instead of beginning " \
	       "afresh.", \
	       "The server expects an external pre-shared key, which holdfast does not offer."), \
	  SAYS("Set `tls.resumption = false` and see whether it passes.", \
	       "`openssl s_client -connect HOST:PORT`: does a fresh handshake work?", \
	       "The server's log, and its settings for pre-shared keys.")) \
	A(TLS_PEER_INTERNAL, AT(HANDSHAKE) | AT(SETTLE) | AT(READY), \
	  SAYS("The server cannot use its own certificate or key, often after a failed renewal.", \
	       "The server has no certificate for the name, and its program calls that an " \
	       "internal error.", \
	       "It is out of memory, or a helper (OCSP, a key server) does not answer."), \
	  SAYS("The server's log at that time; restart or reload the server after a renewal.", \
	       "`openssl s_client -connect HOST:PORT -servername NAME`, and with another name.", \
	       "`holdfastctl check` over all addresses: is it one server of several?")) \
	A(TLS_PEER_ALERT, AT(HANDSHAKE) | AT(SETTLE) | AT(READY) | AT(LENT), \
	  SAYS("The server refuses what holdfast sent; the alert's name says what it dislikes.", \
	       "An old or strict server stumbles over an extension: decode_error, " \
	       "illegal_parameter, missing_extension.", \
	       "The server ends the session: user_canceled, or an alert of its own policy."), \
	  SAYS("Look the alert up in RFC 8446, section 6, and read the server's log at that " \
	       "time.", \
	       "`openssl s_client -connect HOST:PORT -msg`: does the same alert come?", \
	       "Try `tls.max_version = \"1.2\"`, `tls.resumption = false`, another `tls.sni`.")) \
	A(TLS_PROTOCOL, AT(HANDSHAKE) | AT(READY) | AT(LENT), \
	  SAYS("A middlebox rewrites or injects into the stream.", \
	       "The server's TLS is defective, or it falls back to plain text in the middle (an " \
	       "error page).", \
	       "The server asks for renegotiation, which is refused."), \
	  SAYS("The record holds OpenSSL's reason; `openssl errstr NUMBER` and the server's " \
	       "log.", \
	       "`openssl s_client -connect HOST:PORT -msg` from here and from a host beside the " \
	       "server.", \
	       "`tcpdump -w FILE` and wireshark show the record that is wrong.")) \
	A(TLS_CORRUPT, AT(HANDSHAKE) | AT(READY) | AT(LENT), \
	  SAYS("The server's key does not belong to the certificate that it shows.", \
	       "A middlebox, a defective network card or bad memory changes data on the way.", \
	       "Two connections were mixed up by a broken balancer."), \
	  SAYS("At the server: `openssl x509 -noout -pubkey -in CERT | sha256sum` and `openssl " \
	       "pkey -pubout -in KEY | sha256sum`.", \
	       "Is it one address of several? `holdfastctl check` over all of them.", \
	       "`ethtool -S INTERFACE | grep -i err`; try with offloads switched off (`ethtool " \
	       "-K INTERFACE tso off gro off`)."))

#define ADVICE_CERTIFICATE_LIST(A) \
	A(TLS_CERTIFICATE_EXPIRED, AT(HANDSHAKE), \
	  SAYS("The renewal has failed (certbot, cert-manager), or nobody thought of it.", \
	       "The certificate was renewed on disk, and the server has not been reloaded " \
	       "since.", \
	       "It is an intermediate certificate that has expired, or one server of several " \
	       "was forgotten.", \
	       "This host's clock is wrong."), \
	  SAYS("`openssl s_client -connect HOST:PORT -servername NAME </dev/null | openssl x509 " \
	       "-noout -dates -subject`.", \
	       "At the server: `certbot certificates`, `systemctl list-timers`; then reload the " \
	       "server.", \
	       "`timedatectl`: is this host's clock right?", \
	       "`holdfastctl check` shows the whole chain with the days left, of every " \
	       "address.")) \
	A(TLS_CERTIFICATE_NOT_YET_VALID, AT(HANDSHAKE), \
	  SAYS("This host's clock is behind: no NTP, an empty battery, a resumed virtual " \
	       "machine.", \
	       "The certificate was issued for a later date, or by a CA whose clock is ahead."), \
	  SAYS("`timedatectl` and `date -u`; `systemctl status systemd-timesyncd` or `chronyc " \
	       "tracking`.", \
	       "`holdfastctl check` shows from when each certificate of the chain is valid.", \
	       "If the clock is right, put the former certificate back at the server.")) \
	A(TLS_CERTIFICATE_NAME, AT(HANDSHAKE), \
	  SAYS("`address` holds an IP address, an alias or a short name, and the certificate is " \
	       "for the full name.", \
	       "The server shows its default certificate: it does not know the name that is " \
	       "sent (SNI).", \
	       "The name leads to the wrong server, or to an intercepting proxy.", \
	       "The certificate was issued without the name, or a wildcard does not reach that " \
	       "deep."), \
	  SAYS("`holdfastctl check` lists the names; set `tls.verify_name` (and `tls.sni`) to " \
	       "the right one of them.", \
	       "`dig NAME`: is it the server that you mean?", \
	       "`openssl s_client -connect HOST:PORT -servername NAME </dev/null | openssl x509 " \
	       "-noout -ext subjectAltName`.", \
	       "Have a certificate issued that holds the name.")) \
	A(TLS_CERTIFICATE_SELF_SIGNED, AT(HANDSHAKE), \
	  SAYS("The server still has the certificate of its installation (ssl-cert-snakeoil), " \
	       "or one made by hand.", \
	       "The server shows its default certificate since it does not know the name (SNI).", \
	       "An appliance or a device is reached that is not the server."), \
	  SAYS("`holdfastctl check` shows the certificate and its digest: compare that over " \
	       "another way.", \
	       "If it is the right one: `tls.pins` with its `spkiSha256`, and `tls.verify = " \
	       "\"pin\"`; or `tls.ca_file`.", \
	       "Better: give the server a certificate of your CA.")) \
	A(TLS_CERTIFICATE_UNKNOWN_ISSUER, AT(HANDSHAKE), \
	  SAYS("The certificate is of a private CA, and `tls.ca_file` is not set or holds " \
	       "another CA.", \
	       "The server does not send an intermediate certificate.", \
	       "The system's CA certificates are old or missing (package ca-certificates).", \
	       "A proxy that inspects TLS shows a certificate of its own."), \
	  SAYS("`holdfastctl check` shows the chain and who issued it.", \
	       "Put the CA's certificate into `tls.ca_file`: `holdfastctl check --ca-file=FILE " \
	       "URL` tries it.", \
	       "`openssl s_client -connect HOST:PORT -showcerts`: does the chain lack a link? " \
	       "Then mend the server.", \
	       "`apt install ca-certificates` and `update-ca-certificates`.")) \
	A(TLS_CERTIFICATE_UNTRUSTED_ROOT, AT(HANDSHAKE), \
	  SAYS("A private CA, whose root this host does not trust.", \
	       "A proxy or firewall that inspects TLS shows certificates of its own.", \
	       "`tls.ca_file` holds another or an older root than the server uses now."), \
	  SAYS("`holdfastctl check` shows the root's name and digest: is it your CA's?", \
	       "Put it into `tls.ca_file`, or into /usr/local/share/ca-certificates and run " \
	       "`update-ca-certificates`.", \
	       "If it is a proxy's: exempt this destination from inspection.")) \
	A(TLS_CERTIFICATE_CHAIN_INCOMPLETE, AT(HANDSHAKE), \
	  SAYS("The server was given its own certificate (cert.pem) and not the chain " \
	       "(fullchain.pem).", \
	       "The issuer changed with the last renewal, and the chain file is the old one."), \
	  SAYS("`openssl s_client -connect HOST:PORT -servername NAME -showcerts`: how many " \
	       "certificates come?", \
	       "At the server: fullchain.pem (nginx, haproxy, dovecot, postfix), then reload " \
	       "it.", \
	       "Until then: `tls.ca_file` with the intermediate certificate and its root.")) \
	A(TLS_CERTIFICATE_CHAIN_INVALID, AT(HANDSHAKE), \
	  SAYS("A CA certificate in the chain is not one: basicConstraints says CA:FALSE, or " \
	       "keyUsage lacks keyCertSign.", \
	       "A private CA limits names or the chain's length, and the certificate breaks " \
	       "that.", \
	       "The chain holds the wrong intermediate certificate.", \
	       "OpenSSL is strict about a hand-made CA (missing identifiers, a wrong version)."), \
	  SAYS("`openssl s_client -connect HOST:PORT -showcerts`, each through `openssl x509 " \
	       "-noout -text`.", \
	       "`openssl verify -x509_strict -CAfile CA.pem -untrusted CHAIN.pem CERT.pem` " \
	       "names the one that is wrong.", \
	       "Issue the CA certificate, or the server's, anew.")) \
	A(TLS_CERTIFICATE_REVOKED, AT(HANDSHAKE), \
	  SAYS("The key was compromised, or the certificate was replaced, and the server was " \
	       "not given the new one.", \
	       "The CA had to revoke it (a mass revocation).", \
	       "It really is somebody else with a stolen key."), \
	  SAYS("Ask the owner of the server before anything else; the record has the date and " \
	       "the reason.", \
	       "At the server: renew (`certbot renew --force-renewal`) and reload.", \
	       "`openssl crl -in CRL.pem -noout -text` shows the list in `tls.crl_file`.")) \
	A(TLS_CERTIFICATE_PURPOSE, AT(HANDSHAKE), \
	  SAYS("The server was given a client's certificate, or one for mail or code.", \
	       "A private CA issued it without serverAuth in its extendedKeyUsage."), \
	  SAYS("`openssl x509 -noout -purpose -in CERT`, or `-ext extendedKeyUsage,keyUsage`.", \
	       "Issue it anew with extendedKeyUsage=serverAuth.")) \
	A(TLS_CERTIFICATE_WEAK, AT(HANDSHAKE), \
	  SAYS("An old certificate: RSA with 1024 bits, or signed with SHA-1 or MD5.", \
	       "`tls.security_level` is higher than the key allows (3 wants RSA with 3072 " \
	       "bits)."), \
	  SAYS("`openssl x509 -noout -text -in CERT | grep -E 'Public-Key|Signature " \
	       "Algorithm'`, for the whole chain.", \
	       "Issue it anew with RSA 2048 or P-256 and SHA-256.", \
	       "Lower `tls.security_level` for this upstream until then.")) \
	A(TLS_CERTIFICATE_MALFORMED, AT(HANDSHAKE), \
	  SAYS("A certificate made by an appliance or a script that encodes it wrongly.", \
	       "The chain mixes certificates of a CA with two keys of one name: the signature " \
	       "does not fit.", \
	       "The file at the server is damaged."), \
	  SAYS("`openssl s_client -connect HOST:PORT -showcerts`, each through `openssl x509 " \
	       "-noout -text`: which one fails?", \
	       "`openssl verify -CAfile CA.pem -untrusted CHAIN.pem CERT.pem`.", \
	       "Issue it anew; check that issuer and authority key identifier fit.")) \
	A(TLS_CERTIFICATE_PIN, AT(HANDSHAKE), \
	  SAYS("The certificate was renewed with a fresh key, as certbot does by default.", \
	       "Another server of several has another key.", \
	       "Somebody else answers in the server's place: a proxy that inspects TLS, or an " \
	       "attack."), \
	  SAYS("Ask the owner of the server whether the key was changed; compare the new pin " \
	       "over another way.", \
	       "If so, add the new pin of the hint to `tls.pins`, beside the old one for the " \
	       "time being.", \
	       "At the server: `certbot renew --reuse-key` keeps the key over renewals.")) \
	A(TLS_CRL_MISSING, AT(HANDSHAKE), \
	  SAYS("`tls.crl_file` holds no list of one of the issuers in the chain; each needs " \
	       "one.", \
	       "The server's issuer changed with a renewal."), \
	  SAYS("`holdfastctl check` shows the issuers; `openssl x509 -noout -ext " \
	       "crlDistributionPoints -in CERT` where their lists are.", \
	       "Append the missing list in PEM: `openssl crl -inform DER -in LIST.crl >>FILE`.", \
	       "Renew that file by a timer; holdfast notices.")) \
	A(TLS_CRL_UNUSABLE, AT(HANDSHAKE), \
	  SAYS("The list in `tls.crl_file` is past its next update: the job that fetches it has " \
	       "failed.", \
	       "The CA has stopped publishing it in time.", \
	       "The list is signed with another key of the CA, or is damaged.", \
	       "This host's clock is wrong."), \
	  SAYS("`openssl crl -in FILE -noout -issuer -lastupdate -nextupdate`.", \
	       "Fetch it again; look at the timer or cron job that should have.", \
	       "`timedatectl`: is the clock right?")) \
	A(TLS_OCSP_MISSING, AT(HANDSHAKE), \
	  SAYS("Stapling is off at the server, and `tls.ocsp` demands it or the certificate is " \
	       "must-staple.", \
	       "The server has just been restarted, and has not fetched its response yet " \
	       "(nginx).", \
	       "The server cannot reach the CA's OCSP responder.", \
	       "The CA no longer runs OCSP."), \
	  SAYS("`openssl s_client -connect HOST:PORT -servername NAME -status </dev/null | grep " \
	       "-A3 OCSP`.", \
	       "At the server: ssl_stapling (nginx), SSLUseStapling (apache), `set ssl " \
	       "ocsp-response` (haproxy).", \
	       "Set `tls.ocsp = \"check\"` where only a bad response shall be refused.")) \
	A(TLS_OCSP_INVALID, AT(HANDSHAKE), \
	  SAYS("The stapled response is stale: the server could not renew it.", \
	       "It is for the former certificate, or signed by somebody else than the issuer.", \
	       "The responder does not know the certificate (\"unknown\"): it was issued a " \
	       "moment ago.", \
	       "A clock is wrong, this host's or the server's."), \
	  SAYS("`openssl s_client -connect HOST:PORT -servername NAME -status </dev/null`: This " \
	       "Update, Next Update, status.", \
	       "Reload the server, and see whether it reaches the responder (`openssl x509 " \
	       "-noout -ocsp_uri -in CERT`).", \
	       "`timedatectl` on both hosts.")) \
	A(TLS_CERTIFICATE_OTHER, AT(HANDSHAKE), \
	  SAYS("OpenSSL refused the certificate for a reason that has no code of its own; its " \
	       "name is in the record.", \
	       "The server showed no certificate at all."), \
	  SAYS("Look the name up in X509_STORE_CTX_get_error(3).", \
	       "`openssl s_client -connect HOST:PORT -servername NAME -showcerts`: what does it " \
	       "say under Verification?", \
	       "`openssl verify -CAfile CA.pem -untrusted CHAIN.pem CERT.pem`.")) \
	A(TLS_CLIENT_CERTIFICATE_REQUIRED, LATE_VERDICT, \
	  SAYS("The server demands a client certificate, and the upstream has none configured.", \
	       "The configured certificate was not sent, since it fits no issuer or algorithm " \
	       "that the server named.", \
	       "It is the wrong port: one for machines with certificates instead of that for " \
	       "users."), \
	  SAYS("Set `tls.certificate` and `tls.key`; try it with `holdfastctl check --cert=FILE " \
	       "--key=FILE URL`.", \
	       "`openssl s_client -connect HOST:PORT`: \"Acceptable client certificate CA " \
	       "names\" are the issuers wanted.", \
	       "At the server: `ssl_verify_client` (nginx), `verify required` (haproxy), " \
	       "clientcert in pg_hba.conf.")) \
	A(TLS_CLIENT_CERTIFICATE_UNKNOWN_ISSUER, LATE_VERDICT, \
	  SAYS("The server trusts another CA for clients than the one that issued ours.", \
	       "Our file lacks the intermediate certificate.", \
	       "The CA of the clients was renewed, and the server knows only the old one."), \
	  SAYS("`openssl x509 -noout -issuer -in FILE` against the CA names that `openssl " \
	       "s_client -connect HOST:PORT` lists.", \
	       "Append the intermediate certificates to `tls.certificate`, our own one first.", \
	       "At the server: `ssl_client_certificate` (nginx), `ca-file` (haproxy), " \
	       "ssl_ca_file (PostgreSQL).")) \
	A(TLS_CLIENT_CERTIFICATE_EXPIRED, LATE_VERDICT, \
	  SAYS("Our certificate has expired, or an intermediate one in its file has.", \
	       "The server's clock is wrong.", \
	       "The server's own copy of the client CA has expired."), \
	  SAYS("`openssl x509 -noout -dates -in FILE`, for every certificate in " \
	       "`tls.certificate`.", \
	       "Renew it and put it in place: holdfast notices the changed file by itself.", \
	       "`date -u` on the server.")) \
	A(TLS_CLIENT_CERTIFICATE_REJECTED, LATE_VERDICT, \
	  SAYS("Our certificate is not for clients: extendedKeyUsage lacks clientAuth, as of " \
	       "public CAs' certificates more and more.", \
	       "It was revoked, or its key or digest is too weak for the server.", \
	       "The server takes only certain certificates (by name, by fingerprint).", \
	       "Our file holds the wrong certificate, or its chain in the wrong order."), \
	  SAYS("The server's log tells the reason; the alert tells only its kind.", \
	       "`openssl x509 -noout -text -in FILE`: purpose, names, dates, key.", \
	       "Have it issued with extendedKeyUsage=clientAuth by the CA that the server " \
	       "trusts.")) \
	A(TLS_CLIENT_ACCESS_DENIED, LATE_VERDICT, \
	  SAYS("The server knows our certificate, and its policy does not let it in: no such " \
	       "user, wrong group, wrong name."), \
	  SAYS("`openssl x509 -noout -subject -ext subjectAltName -in FILE` against the " \
	       "server's list of who may.", \
	       "The server's log and access rules."))
/* clang-format on */
