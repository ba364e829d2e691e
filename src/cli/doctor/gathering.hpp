// How the facts of `mnist-dist doctor` are found, and travel.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "facts.hpp"
#include "mnist_dist/comm/communicator.hpp"

namespace mnist_dist::cli::doctor {

/// Local: what this host is, without its data set, its folder and its ranks.
[[nodiscard]] HostFacts look_at_host();

/// Collective over the ranks of a host: why this rank cannot read the first one's memory; "" where it can.
[[nodiscard]] std::string try_reading(const comm::Communicator& host);

/// Collective over one rank of each host: whether a file can be written, seen and locked in a run's folder, or where
/// that would be made. Nothing stays there. @param mine learns what this host sees  @return at rank 0: what it found
[[nodiscard]] FolderFacts try_folder(const comm::Communicator& hosts, const std::filesystem::path& folder,
                                     HostFacts& mine);

/// Collective over one rank of each host. @return at rank 0: how far each one's clock is ahead of its own
[[nodiscard]] std::vector<double> compare_clocks(const comm::Communicator& hosts);

/// Collective over one rank of each host. @return at rank 0: the links of all pairs
[[nodiscard]] std::vector<LinkFacts> measure_links(const comm::Communicator& hosts);

/// Local: facts as a text that from_text() takes back.
[[nodiscard]] std::string to_text(const RankFacts& facts);
[[nodiscard]] std::string to_text(const HostFacts& facts);
void from_text(const std::string& text, RankFacts& facts);
void from_text(const std::string& text, HostFacts& facts);

}  // namespace mnist_dist::cli::doctor
