/* core/starttls_xmpp and core/starttls_xml: streams of XMPP. */
#include "starttls-fixture.h"

static const struct starttls_setup client = { .protocol = STARTTLS_XMPP, .domain = "example.org" };
static const struct starttls_setup server = { .protocol = STARTTLS_XMPP_SERVER, .domain = "a&b<'\">c" };
static const struct starttls_setup nobody = { .protocol = STARTTLS_XMPP, .domain = "" };

#define TLS	  "urn:ietf:params:xml:ns:xmpp-tls"
#define HEADER_TO "<?xml version='1.0'?><stream:stream to='"
#define HEADER_END(kind) \
	"' version='1.0' xmlns='jabber:" kind "' xmlns:stream='http://etherx.jabber.org/streams'>"
#define BEGINS BEGIN(HEADER_TO "example.org" HEADER_END("client"))
#define ASKS   "<starttls xmlns='" TLS "'/>"

#define STREAM \
	"<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' id='7' " \
	"xmlns='jabber:client' from='localhost' version='1.0'>"
#define OFFERS \
	SAYS(STREAM "<stream:features><starttls xmlns='" TLS \
		    "'><required/></starttls></stream:features>", \
	     ASKS)
#define PROCEED "<proceed xmlns='" TLS "'/>"

static void
goes_well(void **state)
{
	(void)state;
	GOES_WELL(&client, BEGINS, OFFERS, ENDS_WITH(PROCEED));
	GOES_WELL(&server, BEGIN(HEADER_TO "a&#38;b&#60;&#39;&#34;>c" HEADER_END("server")),
		  SAYS(STREAM "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/>"
			      "<starttls xmlns='" TLS "'/></stream:features>",
		       ASKS),
		  ENDS_WITH("<proceed xmlns='" TLS "'></proceed>"));
	GOES_WELL(&nobody,
		  BEGIN("<?xml version='1.0'?><stream:stream version='1.0' xmlns='jabber:client' "
			"xmlns:stream='http://etherx.jabber.org/streams'>"),
		  OFFERS, ENDS_WITH(PROCEED));
}

/* Prefixes, quotes, spaces and what else XML leaves to the writer. */
static void
other_writers(void **state)
{
	(void)state;
	GOES_WELL(&client, BEGINS,
		  SAYS("\r\n<?xml version=\"1.0\" encoding='UTF-8' ?>\n <stream\nxmlns = \"http://etherx.jabber.org/streams\""
		       " version='1.0' id='a>b/' >\n <features  >\n\t<mechanisms xmlns='urn:x'><mechanism>a</mechanism>"
		       "</mechanisms>\n<t:starttls xmlns:u='urn:y' xmlns:t = \"" TLS "\" />\n</features >",
		       ASKS),
		  ENDS_WITH(" \n<p:proceed xmlns:p=\"" TLS "\"\t/>"));
	/* The namespace of an element around it. */
	GOES_WELL(&client, BEGINS,
		  SAYS("<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns:t='" TLS "'>"
		       "<s:features><t:starttls><t:required/></t:starttls></s:features>",
		       ASKS),
		  ENDS_WITH("<t:proceed/>"));
}

static void
fails(void **state)
{
	(void)state;
	FAILS(&client, GREETING_REJECTED, "host-unknown: This server does not serve example.org", BEGINS,
	      ENDS_WITH(STREAM
			"<stream:error><host-unknown xmlns='urn:x'/><text xmlns='urn:x' xml:lang='en'>"
			"This server does not serve example.org</text></stream:error></stream:stream>"));
	FAILS(&client, GREETING_REJECTED, "policy-violation", BEGINS,
	      ENDS_WITH(STREAM
			"<stream:error><policy-violation xmlns='urn:x'>x</policy-violation></stream:error>"));
	FAILS(&client, GREETING_REJECTED, NULL, BEGINS, ENDS_WITH(STREAM "<stream:error/>"));
	FAILS(&client, STARTTLS_REFUSED, NULL, BEGINS, OFFERS,
	      ENDS_WITH("<failure xmlns='" TLS "'/></stream:stream>"));
	FAILS(&client, STARTTLS_REFUSED, "unsupported-stanza-type", BEGINS, OFFERS,
	      ENDS_WITH("<stream:error><unsupported-stanza-type xmlns='urn:x'/></stream:error>"));
	/* An error that declares its namespace itself, as in a stream that could not be opened. */
	FAILS(&client, GREETING_REJECTED, "a", BEGINS,
	      ENDS_WITH("<s:stream><s:error xmlns:s='http://etherx.jabber.org/streams'><a/></s:error>"));
	FAILS(&client, STARTTLS_REFUSED, "a", BEGINS, OFFERS,
	      ENDS_WITH("<s:error xmlns:s='http://etherx.jabber.org/streams'><a/></s:error>"));
	FAILS(&client, STARTTLS_CLOSED, NULL, BEGINS, ENDS_WITH(STREAM "</stream:stream>"));
	FAILS(&client, STARTTLS_CLOSED, NULL, BEGINS, ENDS_WITH("<stream:stream/>"));
	IS_INJECTED(&client, BEGINS, OFFERS, ENDS_WITH(PROCEED "\n"));
	IS_INJECTED(&client, BEGINS, OFFERS, ENDS_WITH(PROCEED "<stream:features/>"));
}

static void
is_not_offered(void **state)
{
	(void)state;
	FAILS(&client, STARTTLS_MISSING, NULL, BEGINS, ENDS_WITH(STREAM "<stream:features/>"));
	FAILS(&client, STARTTLS_MISSING, NULL, BEGINS,
	      ENDS_WITH(STREAM "<stream:features><mechanisms xmlns='urn:x'><mechanism>starttls</mechanism></mechanisms>"
			       "</stream:features>"));
	/* Elsewhere, in another namespace, or as a mere value. */
	FAILS(&client, STARTTLS_MISSING, NULL, BEGINS,
	      ENDS_WITH(STREAM "<stream:features><x><starttls xmlns='" TLS "'/></x></stream:features>"));
	FAILS(&client, STARTTLS_MISSING, NULL, BEGINS,
	      ENDS_WITH(STREAM "<stream:features><starttls xmlns:t='" TLS
			       "' xmlns='urn:x'/></stream:features>"));
	FAILS(&client, STARTTLS_MISSING, NULL, BEGINS,
	      ENDS_WITH(STREAM "<stream:features><t:starttls xmlns:t='urn:x'/></stream:features>"));
	FAILS(&client, STARTTLS_MISSING, NULL, BEGINS,
	      ENDS_WITH(STREAM "<stream:features><t:starttls xmlns:tt='" TLS
			       "' xmlns:t='urn:x'/></stream:features>"));
	FAILS(&client, STARTTLS_MISSING, NULL, BEGINS,
	      ENDS_WITH(STREAM "<stream:features><x a='&lt;starttls/&gt;'/></stream:features>"));
}

static void
makes_no_sense(void **state)
{
	(void)state;
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("220 mx ESMTP\r\n"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<!DOCTYPE html>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<html>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("</stream:stream>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<?php ?>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<?xml version='1.0'>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("< stream>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("</>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<:stream>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<a:>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<a:b:c>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<a:1>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<stream\0>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH("<stream<"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH(STREAM "text"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH(STREAM "<!-- x -->"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH(STREAM "<?xml ?>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH(STREAM "<message/>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, ENDS_WITH(STREAM PROCEED));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, OFFERS, ENDS_WITH("<proceed xmlns='urn:x'/>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, OFFERS, ENDS_WITH("<failure xmlns='urn:x'/>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS, OFFERS, ENDS_WITH("<stream:features/>"));
	FAILS(&client, STARTTLS_REPLY, NULL, BEGINS,
	      ENDS_WITH(STREAM "<stream:features><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"
			       "<a><a><a><a><a><a><a><a><a><a><a><a><a>"));
}

/* A reason longer than what is kept of it. */
static void
a_long_reason(void **state)
{
	char said[2000] = STREAM "<stream:error><x/><text>", reason[201] = "x: ";
	struct exchange exchanges[] = { BEGINS, ENDS_WITH("") };

	(void)state;
	memset(said + strlen(said), 'y', 1000);
	strcat(said, "</text></stream:error>");
	memset(reason + 3, 'y', 194);
	memcpy(reason + 197, "...", 4);
	exchanges[1].peer = (struct octets){ said, strlen(said) };
	play(&(struct script){ STARTTLS_SCRIPT(&client, exchanges), .verdict = DIALOGUE_FAILED,
			       .code = FAILURE_PROTOCOL_GREETING_REJECTED, .reply = reason });
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_well),	  cmocka_unit_test(other_writers),
		cmocka_unit_test(fails),	  cmocka_unit_test(is_not_offered),
		cmocka_unit_test(makes_no_sense), cmocka_unit_test(a_long_reason),
	};

	RUN_TESTS(tests);
}
