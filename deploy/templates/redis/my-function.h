// The handlers of my-function, apart from main() so that their test can call them.
#pragma once

#include <subito/function.h>

// POST /counters/{name} adds one and answers the new value, GET answers it. Counters are kept in
// Redis, since a pod forgets everything when it goes.
subito::Router counters();
