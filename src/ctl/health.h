/*
 * How healths and stages look, wherever they are shown.
 */
#pragma once

#include "core/upstream.h"
#include "ctl/screen.h"

/*
 * health_style(word):
 * The style for the health called `word`.
 */
enum style health_style(const char *word);

/*
 * health_order(word):
 * Where an upstream of that health stands in a list that shows what is wrong first: 0 is at the top.
 */
unsigned int health_order(const char *word);

/*
 * stage_is_attempt(word):
 * Whether a link in the stage called `word` is trying to connect just now.
 */
bool stage_is_attempt(const char *word);
