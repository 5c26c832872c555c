// Any bytes as YAML and as JSON: no crash, no exception, no hang; and what is accepted comes back
// the same from its canonical JSON.
#include <cstdint>

#include "deploy/manifest/manifest.h"
#include "runtime/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace subito::manifest;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Manifests read = parse_yaml("fuzz", text);
  if (read.faults.empty()) {
    for (const Manifest& manifest : read.manifests) {
      const std::string json = to_json(manifest.function);
      const auto back = from_json(json);
      CHECK(back.has_value());
      CHECK(to_json(*back) == json);
    }
  }
  if (const auto function = from_json(text)) CHECK(from_json(to_json(*function)).has_value());
  return 0;
}
