// The smallest useful function; README.md shows it.
#include <subito/function.h>

subito::Response hello(const subito::Request& request, subito::Context&) {
  return subito::Response::text("hello " + request.query("name").value_or("world") + "\n");
}

int main(int argc, char** argv) {
  return subito::serve(argc, argv, hello);
}
