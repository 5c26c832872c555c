// The handler of my-function, apart from main() so that its test can call it.
#pragma once

#include <subito/function.h>

// Whom it calls. function.yaml lists it, too: no other function can be called.
inline constexpr char kCalled[] = "hello";

// Asks that function for its greeting and answers with it in capitals: GET /?name=you.
subito::Response handle(const subito::Request& request, subito::Context& context);
