// The handler of my-function, apart from main() so that its test can call it.
#pragma once

#include <subito/function.h>

// GET /?name=you answers "hello you". The greeting is a setting of function.yaml.
subito::Response greet(const subito::Request& request, subito::Context& context);
