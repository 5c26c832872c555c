// The handler of my-function, apart from main() so that its test can call it.
#pragma once

#include <subito/function.h>

// Asks the function `hello` for its greeting and answers with it in capitals: GET /?name=you.
subito::Response shout(const subito::Request& request, subito::Context& context);
