/* Upstreams that flap: main's own warning. */
#include "base/text.h"
#include "main/logfmt.h"
#include "main/model_internal.h"
#include "sys/clock.h"

#define MESSAGE_MAX 256
#define FLAPPING    (UINT32_C(1) << WARNING_FLAPPING)

void
model_flap_init(struct model_upstream *known)
{
	list_init(&known->flapping);
	for (unsigned int i = 0; i < FLAPS_MIN; i++)
		known->flaps[i] = USEC_INFINITY;
}

void
model_flap_forget(struct model_upstream *known)
{
	list_remove(&known->flapping);
	known->warnings &= ~FLAPPING;
	model_flap_init(known);
}

static void
tell_flapping(struct model *model, struct model_upstream *known, enum log_level level, const char *message)
{
	model_tell(model, known,
		   &(struct notice){
			   .kind = NOTICE_WARNING,
			   .level = level,
			   .realtime = clock_realtime(),
			   .stage = -1,
			   .health = -1,
			   .reason = warning_name(WARNING_FLAPPING),
			   .message = message,
		   });
}

static void
begin(struct model *model, struct model_upstream *known, enum failure_code code, usec_t span)
{
	char message[MESSAGE_MAX];
	struct text text = TEXT_INIT(message);

	known->warnings |= FLAPPING;
	text_addf(&text, "%u ready connections have failed within ", FLAPS_MIN);
	span_text(span, &text);
	text_addf(&text, ", the last one with %s", failure_name(code));
	tell_flapping(model, known, LEVEL_WARNING, message);
}

void
model_flap(struct model *model, struct model_upstream *known, enum failure_code code, usec_t now)
{
	usec_t oldest;

	known->flaps[known->flaps_next] = now;
	known->flaps_next = (known->flaps_next + 1) % FLAPS_MIN;
	oldest = known->flaps[known->flaps_next];
	if (known->dropped || model->stopping)
		return;
	if (known->warnings & FLAPPING) {
		list_remove(&known->flapping);
		list_append(&model->flapping, &known->flapping);
	} else if (oldest != USEC_INFINITY && usec_sub(now, oldest) <= FLAPS_WINDOW) {
		list_append(&model->flapping, &known->flapping);
		begin(model, known, code, usec_sub(now, oldest));
	}
}

static usec_t
last_flap(const struct model_upstream *known)
{
	return known->flaps[(known->flaps_next + FLAPS_MIN - 1) % FLAPS_MIN];
}

usec_t
model_tick(struct model *model, usec_t now)
{
	while (!list_is_empty(&model->flapping)) {
		struct model_upstream *known = list_first(&model->flapping, struct model_upstream,
							  flapping);
		usec_t over = usec_add(last_flap(known), FLAPS_WINDOW);

		if (over > now)
			return over;
		model_flap_forget(known);
		tell_flapping(model, known, LEVEL_NOTICE,
			      "that is over: no ready connection has failed for 10 minutes");
	}
	return USEC_INFINITY;
}
