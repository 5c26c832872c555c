// The peers that are known, each with its whole configuration.
#include "bench/peers/peer.h"
#include "bench/suites/answers.h"

namespace subito::bench {

namespace {

std::string local(const PeerPlace& place) {
  return "127.0.0.1:" + std::to_string(place.port);
}

PeerFiles haproxy_files(const PeerPlace& place) {
  return {{"haproxy.cfg",
           "global\n"
           "  nbthread 1\n"
           "  maxconn 4096\n"
           "defaults\n"
           "  mode http\n"
           "  timeout connect 5s\n"
           "  timeout client 60s\n"
           "  timeout server 60s\n"
           "  http-reuse always\n"
           "frontend bench\n"
           "  bind " +
               local(place) +
               "\n"
               "  default_backend handler\n"
               "backend handler\n"
               "  server handler unix@" +
               place.upstream_socket + "\n"}};
}

PeerFiles h2o_files(const PeerPlace& place) {
  return {{"h2o.conf",
           "num-threads: 1\n"
           "user: root\n"
           "max-connections: 4096\n"
           "listen:\n"
           "  host: 127.0.0.1\n"
           "  port: " +
               std::to_string(place.port) +
               "\n"
               "hosts:\n"
               "  default:\n"
               "    paths:\n"
               "      /:\n"
               "        proxy.reverse.url: \"http://[unix:" +
               place.upstream_socket +
               "]/\"\n"
               "        proxy.timeout.keepalive: 60000\n"
               "        proxy.preserve-host: ON\n"}};
}

PeerFiles caddy_files(const PeerPlace& place) {
  return {{"Caddyfile",
           "{\n"
           "  admin off\n"
           "  auto_https off\n"
           "}\n"
           "http://:" +
               std::to_string(place.port) +
               " {\n"
               "  bind 127.0.0.1\n"
               "  reverse_proxy unix/" +
               place.upstream_socket +
               " {\n"
               "    transport http {\n"
               "      keepalive_idle_conns 512\n"
               "      keepalive_idle_conns_per_host 512\n"
               "    }\n"
               "  }\n"
               "}\n"}};
}

PeerFiles workerd_files(const PeerPlace& place) {
  return {
      {"worker.js", "const product = '" + std::string(kProductJson) +
                        "';\n"
                        "const head = { headers: { 'content-type': 'application/json' } };\n"
                        "export default {\n"
                        "  fetch(request) {\n"
                        "    return request.url.endsWith('/json') ? new Response(product, head)\n"
                        "                                         : new Response('');\n"
                        "  },\n"
                        "};\n"},
      {"workerd.capnp",
       "using Workerd = import \"/workerd/workerd.capnp\";\n"
       "const config :Workerd.Config = (\n"
       "  services = [(name = \"main\", worker = .worker)],\n"
       "  sockets = [(name = \"http\", address = \"" +
           local(place) +
           "\", http = (), service = \"main\")],\n"
           ");\n"
           "const worker :Workerd.Worker = (\n"
           "  modules = [(name = \"worker\", esModule = embed \"worker.js\")],\n"
           "  compatibilityDate = \"2023-02-28\",\n"
           ");\n"}};
}

PeerFiles functions_framework_files(const PeerPlace&) {
  return {{"index.js", "const product = '" + std::string(kProductJson) +
                           "';\n"
                           "exports.handler = (request, response) => {\n"
                           "  if (request.path === '/json') response.type('json').send(product);\n"
                           "  else response.status(200).end();\n"
                           "};\n"},
          {"package.json", "{\"main\": \"index.js\"}\n"}};
}

PeerFiles no_files(const PeerPlace&) {
  return {};
}

PeerFiles lighttpd_files(const PeerPlace& place) {
  return {{"lighttpd.conf",
           "server.modules = (\"mod_cgi\", \"mod_alias\")\n"
           "server.document-root = \"" +
               place.folder +
               "\"\n"
               "server.bind = \"127.0.0.1\"\n"
               "server.port = " +
               std::to_string(place.port) +
               "\n"
               "server.errorlog = \"" +
               place.folder +
               "/error.log\"\n"
               "server.upload-dirs = (\"" +
               place.folder +
               "\")\n"
               "alias.url = (\"/run.cgi\" => \"" +
               place.handler +
               "\")\n"
               "$HTTP[\"url\"] =^ \"/run.cgi\" { cgi.assign = (\"\" => \"\") }\n"}};
}

using Words = std::vector<std::string>;

std::vector<PeerPlan> proxies() {
  return {{"haproxy",
           "haproxy, one thread, proxying to the same binary on a Unix socket",
           PeerKind::kProxy,
           "haproxy",
           false,
           {"/usr/sbin/haproxy"},
           {"-v"},
           haproxy_files,
           [](const PeerPlace& place) {
             return Words{place.program, "-db", "-f", place.folder + "/haproxy.cfg"};
           }},
          {"h2o",
           "h2o, one thread, proxying to the same binary on a Unix socket",
           PeerKind::kProxy,
           "h2o",
           false,
           {"/usr/bin/h2o"},
           {"--version"},
           h2o_files,
           [](const PeerPlace& place) {
             return Words{place.program, "-m", "worker", "-c", place.folder + "/h2o.conf"};
           }},
          {"caddy",
           "caddy, GOMAXPROCS=1, proxying to the same binary on a Unix socket",
           PeerKind::kProxy,
           "caddy",
           false,
           {"/usr/bin/caddy"},
           {"version"},
           caddy_files,
           [](const PeerPlace& place) {
             return Words{place.program, "run",      "--config", place.folder + "/Caddyfile",
                          "--adapter",   "caddyfile"};
           }}};
}

std::vector<PeerPlan> hosts() {
  return {{"workerd",
           "workerd, JavaScript in an isolate, the same bytes, no isolation by the kernel",
           PeerKind::kHost,
           "workerd",
           true,
           {"@cloudflare/workerd-linux-64/bin/workerd"},
           {"--version"},
           workerd_files,
           [](const PeerPlace& place) {
             return Words{place.program, "serve", place.folder + "/workerd.capnp"};
           }},
          {"functions-framework",
           "functions-framework of Node.js, the same bytes, a bare process",
           PeerKind::kHost,
           "@google-cloud/functions-framework",
           true,
           {"@google-cloud/functions-framework/build/src/main.js"},
           {},
           functions_framework_files,
           [](const PeerPlace& place) {
             return Words{"node", place.program, "--target=handler", "--source=" + place.folder,
                          "--port=" + std::to_string(place.port)};
           }}};
}

std::vector<PeerPlan> forks() {
  return {{"socket-activate",
           "systemd-socket-activate, a process of a bare C++ program a connection",
           PeerKind::kFork,
           "systemd",
           false,
           {"/usr/bin/systemd-socket-activate"},
           {"--version"},
           no_files,
           [](const PeerPlace& place) {
             return Words{place.program, "--accept",   "--inetd",
                          "--listen",    local(place), place.handler};
           }},
          {"lighttpd-cgi",
           "lighttpd, a CGI process of a bare C++ program a request",
           PeerKind::kFork,
           "lighttpd",
           false,
           {"/usr/sbin/lighttpd"},
           {"-v"},
           lighttpd_files,
           [](const PeerPlace& place) {
             return Words{place.program, "-D", "-f", place.folder + "/lighttpd.conf"};
           },
           "/run.cgi"}};
}

std::vector<PeerPlan> all_plans() {
  std::vector<PeerPlan> plans;
  for (const auto& some : {proxies(), hosts(), forks()}) {
    plans.insert(plans.end(), some.begin(), some.end());
  }
  return plans;
}

}  // namespace

const std::vector<PeerPlan>& peer_plans() {
  static const std::vector<PeerPlan> plans = all_plans();
  return plans;
}

}  // namespace subito::bench
