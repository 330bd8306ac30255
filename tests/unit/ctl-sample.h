/* One upstream as the daemon would tell of it, with every member there is. */
#pragma once

#include "check.h"

#include <jansson.h>

#define SAMPLE_NOW UINT64_C(1795381400000000) /* 2026-11-22T21:03:20Z */

#define SAMPLE_CHAIN \
	"[{\"subject\": \"CN=ldap\", \"issuer\": \"CN=CA\", \"names\": [\"ldap.example.org\", \"192.0.2.7\"]," \
	" \"notBefore\": \"2026-11-01T00:00:00Z\", \"notAfter\": \"2026-12-01T00:00:00Z\"," \
	" \"sha256\": \"69ec2235497c6987489cefaedcb74a5e49492d79b7a5d88cea9a32e8b2c3155a\"," \
	" \"spkiSha256\": \"93645f2a37dbbced57fad6bd06b5a4d3ec5d08824881d62802fa7c09e6b4f152\"}]"

#define SAMPLE_FAILURE \
	"{\"time\": \"2026-11-22T21:03:08.5Z\", \"upstream\": \"ldap\", \"link\": 2, \"code\": \"tls.certificate-expired\"," \
	" \"class\": \"tls\", \"stage\": \"handshake\", \"life\": \"persistent\", \"blame\": \"address\"," \
	" \"address\": \"192.0.2.7:636\", \"otherAddresses\": [{\"address\": \"192.0.2.8:636\"," \
	" \"code\": \"connection.refused\", \"error\": \"ECONNREFUSED\"}], \"attempt\": 3, \"elapsedUSec\": 1200," \
	" \"retryInUSec\": 8000000, \"error\": \"SSL_R_CERTIFICATE_VERIFY_FAILED\"," \
	" \"alert\": \"sent certificate_expired(45)\", \"verify\": \"X509_V_ERR_CERT_HAS_EXPIRED depth=0\"," \
	" \"evidence\": \"HTTP/1.1\", \"message\": \"peer's certificate has expired\"," \
	" \"hint\": \"Expired 2026-11-21 (leaf): the server needs a new certificate.\", \"chain\": " SAMPLE_CHAIN \
	"}"

#define SAMPLE_LINK \
	"{\"number\": 1, \"stage\": \"ready\", \"since\": \"2026-11-22T21:00:00Z\", \"address\": \"192.0.2.7:636\"," \
	" \"source\": \"192.0.2.1:40000\", \"attempt\": 1, \"timings\": {\"resolve\": 1200, \"connect\": 3400," \
	" \"handshake\": 28000}, \"rttUSec\": 2900, \"tls\": {\"version\": \"TLSv1.3\", \"cipher\": \"TLS_AES_256_GCM_SHA384\"," \
	" \"group\": \"x25519\", \"alpn\": \"h2\", \"resumed\": true, \"chain\": " SAMPLE_CHAIN "}," \
	" \"bytesReceived\": 812, \"bytesSent\": 4000000}"

#define SAMPLE_UPSTREAM \
	"{\"name\": \"ldap\", \"health\": \"degraded\", \"since\": \"2026-11-22T20:51:20Z\"," \
	" \"addresses\": [\"ldaps.example.org:636\"], \"wanted\": 2, \"ready\": 1, \"lent\": 0, \"reach\": 183," \
	" \"links\": [" SAMPLE_LINK \
	", {\"number\": 2, \"stage\": \"backoff\", \"since\": \"2026-11-22T21:03:08.5Z\"," \
	" \"attempt\": 4, \"retryInUSec\": 7500000, \"timings\": {}, \"bytesReceived\": 0, \"bytesSent\": 0}]," \
	" \"lastFailure\": " SAMPLE_FAILURE ", \"warnings\": [\"verification-disabled\"]," \
	" \"counters\": {\"attempts\": 14, \"established\": 12, \"failed\": 2, \"closed\": 1, \"lent\": 0, \"lendFailed\": 0}," \
	" \"failures\": {\"tls.certificate-expired\": 2}, \"closes\": {\"reload\": 1}," \
	" \"availability\": {\"hour\": 0.9981}}"

/* The value of one of these texts; the test's to free. */
static inline json_t *
sample(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, 0, &error);

	if (!value)
		fail_msg("line %d: %s", error.line, error.text);
	return value;
}
