// Change: a handler's file is touched, built and released, until the first right answer; and
// further instances of the catalogue, what each costs. One thread.
#pragma once

#include "bench/patterns/book.h"
#include "bench/patterns/running.h"

namespace subito::bench {

// The source keeps its text; the compiler's cache is passed over. What is released is a copy, told
// apart from the one before by bytes behind its end. kNotFound, and why, where nothing can be
// built.
Status measure_change(Running& running, Book& book);

// Bytes of what is shipped.
Status measure_artefact(Running& running, Book& book);

// From one to `instances` of the catalogue: memory of each further one.
Status measure_instances(Running& running, std::uint32_t instances, Book& book);

// A manifest with `key: value` in its spec in place of what it says of key. Pure.
std::string with_spec(const std::string& manifest, const std::string& key,
                      const std::string& value);

// Deploys the catalogue to a node that is up, with these words in its spec.
using SpecWords = std::vector<std::pair<std::string, std::string>>;
Status deploy_catalogue(const Running& running, const SpecWords& spec);

}  // namespace subito::bench
