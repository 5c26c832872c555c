// serve_monolith() of subito/monolith.h.
#include "runtime/sdk/include/subito/monolith.h"

#include <memory>
#include <utility>

#include "runtime/sdk/access.h"
#include "runtime/sdk/listen.h"
#include "runtime/sdk/listen_options.h"

namespace subito {

Service::Service(std::string name_, Handler handler_, std::vector<std::string> routes_)
    : name(std::move(name_)), handler(std::move(handler_)), routes(std::move(routes_)) {}

Service::Service(std::string name_, Router router, std::vector<std::string> routes_)
    : Service(std::move(name_), shared_handler(std::move(router)), std::move(routes_)) {}

int serve_monolith(int argc, char** argv, std::vector<Service> services) {
  constexpr char kWhat[] =
      "Functions of Subito in one process, over HTTP: each has /function/NAME/ and its routes.\n"
      "\n";
  const auto options = sdk::read_listen_options(argc, argv, kWhat);
  if (!options.listen) return options.status;
  return sdk::listen_and_serve(*options.listen, std::move(services));
}

}  // namespace subito
