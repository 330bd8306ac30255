/* Proxies: which kind is spoken to how, and their text in the configuration. */
#include "core/proxy_internal.h"

#include "base/must.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define PROXY_TEXT_MAX (TARGET_HOST_MAX + 16) /* of a host and a port that could be right */

static const struct {
	const char *scheme;
	enum proxy_kind kind;
} schemes[] = {
	{ "http://", PROXY_HTTP },
	{ "socks5://", PROXY_SOCKS5 },
};

static enum dialogue_verdict
direct_start(struct dialogue *dialogue, struct failure *failure)
{
	(void)failure;
	return proxy_pass(dialogue);
}

static enum dialogue_verdict
direct_look(struct dialogue *dialogue, struct failure *failure)
{
	(void)dialogue;
	(void)failure;
	must_not_reach(); /* it has ended when it begins */
}

/* No proxy, but a header. */
static const struct dialogue_kind direct_kind = {
	.start = direct_start,
	.look = direct_look,
	PROXY_KIND_COMMON,
};

static const struct dialogue_kind *const kinds[] = {
	[PROXY_NONE] = &direct_kind,
	[PROXY_HTTP] = &proxy_http_kind,
	[PROXY_SOCKS5] = &proxy_socks_kind,
};

int
proxy_new(const struct proxy_setup *setup, struct dialogue **ret_dialogue)
{
	const char *user = setup->policy->user;
	const char *password = setup->password ? setup->password : "";
	struct proxy_state *state;
	int r;

	must(setup->policy->kind < COUNT_OF(kinds));
	must(strlen(password) <= PROXY_PASSWORD_MAX);
	r = dialogue_new(kinds[setup->policy->kind], ret_dialogue);
	if (r < 0)
		return r;
	state = (*ret_dialogue)->state;
	if (setup->policy->kind != PROXY_NONE) {
		must(setup->target->kind == TARGET_NAME || setup->target->kind == TARGET_ADDRESS);
		state->target = *setup->target;
	}
	if (user) {
		size_t user_bytes = strlen(user) + 1;

		must(user_bytes <= PROXY_USER_MAX + 1);
		memcpy(state->credentials, user, user_bytes);
		memcpy(state->credentials + user_bytes, password, strlen(password) + 1);
		state->user = state->credentials;
		state->password = state->credentials + user_bytes;
	}
	state->header_length = proxy_header(setup, state->header);
	return 0;
}

void
proxy_done(struct dialogue *dialogue)
{
	struct proxy_state *state = dialogue->state;

	if (state)
		explicit_bzero(state->credentials, sizeof(state->credentials));
	explicit_bzero(dialogue->output, sizeof(dialogue->output));
}

enum dialogue_verdict
proxy_pass(struct dialogue *dialogue)
{
	const struct proxy_state *state = dialogue->state;

	dialogue_send(dialogue, state->header, state->header_length);
	return DIALOGUE_DONE;
}

enum dialogue_verdict
proxy_nonsense(const struct dialogue *dialogue, struct failure *failure)
{
	return dialogue_fail(dialogue, FAILURE_PROTOCOL_PROXY_REPLY, failure);
}

static int
refuse(const char **ret_problem, const char *sentence)
{
	*ret_problem = sentence;
	return -EINVAL;
}

/* `text` stands behind the scheme. */
static int
parse_target(const char *text, struct target *ret_target, const char **ret_problem)
{
	char buffer[PROXY_TEXT_MAX];
	size_t length = strlen(text);
	struct target target;
	int r;

	if (strchr(text, '@'))
		return refuse(ret_problem,
			      "holds a user (write `proxy_user` and `proxy_password_file`)");
	if (length > 0 && text[length - 1] == '/') /* as a URL may end */
		length--;
	if (memchr(text, '/', length))
		return refuse(ret_problem, "has a path (expected e.g. http://proxy.example.org:3128)");
	if (length >= sizeof(buffer))
		return refuse(ret_problem, "has a host name of more than 253 characters");
	memcpy(buffer, text, length);
	buffer[length] = '\0';
	r = target_parse(buffer, FAMILY_ANY, &target, ret_problem);
	if (r < 0)
		return r;
	if (target.kind != TARGET_NAME && target.kind != TARGET_ADDRESS)
		return refuse(ret_problem,
			      "names no host (expected e.g. http://proxy.example.org:3128)");
	*ret_target = target;
	return 0;
}

int
proxy_parse(const char *text, enum proxy_kind *ret_kind, struct target *ret_target,
	    const char **ret_problem)
{
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		size_t length = strlen(schemes[i].scheme);
		int r;

		if (strncmp(text, schemes[i].scheme, length) != 0)
			continue;
		r = parse_target(text + length, ret_target, ret_problem);
		if (r == 0)
			*ret_kind = schemes[i].kind;
		return r;
	}
	if (strncmp(text, "socks5h://", strlen("socks5h://")) == 0)
		return refuse(ret_problem,
			      "is written socks5://host:port here (the proxy resolves the name anyway)");
	if (strncmp(text, "https://", strlen("https://")) == 0)
		return refuse(ret_problem, "would be spoken to over TLS, which is not supported "
					   "(expected http://host:port or socks5://host:port)");
	return refuse(ret_problem, "is no proxy (expected http://host:port or socks5://host:port)");
}

char *
proxy_format(const struct proxy_policy *policy, char *buffer, size_t size)
{
	char target[TARGET_HOST_MAX + 16];
	struct text text;

	text_init(&text, buffer, size);
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (schemes[i].kind != policy->kind)
			continue;
		text_add(&text, schemes[i].scheme);
		text_add(&text, target_format(&policy->target, target, sizeof(target)));
	}
	return buffer;
}
