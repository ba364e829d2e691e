#include <fmt/format.h>

#include "findings.hpp"
#include "mnist_dist/core/memory.hpp"

namespace mnist_dist::cli::doctor {
namespace {

/// Those of which this is true, in words. "" for none
template <class Predicate>
std::string hosts_that(const JobFacts& job, Predicate predicate) {
  std::vector<std::string> names;
  for (const HostFacts& host : job.hosts) {
    if (predicate(host)) names.push_back(host.name);
  }
  return in_words(names);
}

}  // namespace

Findings check_data(const JobFacts& job) {
  if (!job.missing_data.empty()) {
    return {{false, fmt::format("no data set was looked at, since {} is not there: name one", job.missing_data)}};
  }
  Findings findings;
  const HostFacts& first = job.hosts.front();
  for (const HostFacts& host : job.hosts) {
    if (!host.data_error.empty()) {
      findings.push_back({true, fmt::format("{}: {}", host.name, host.data_error)});
    } else if (first.data_error.empty() && host.content_sha256 != first.content_sha256) {
      findings.push_back({true, fmt::format("the data set on {} is another one than on {}: its content_sha256 is "
                                            "{:.12}..., not {:.12}...; copy one of them to all hosts",
                                            host.name, first.name, host.content_sha256, first.content_sha256)});
    }
  }
  return findings;
}

Findings check_folder(const JobFacts& job) {
  const FolderFacts& folder = job.folder;
  if (!folder.error.empty()) {
    return {{true, fmt::format("{}: runs cannot be written in {}: choose another folder with -o, or mend that one",
                               folder.error, folder.path)}};
  }
  Findings findings;
  if (!folder.run_there.empty()) findings.push_back({true, folder.run_there});
  if (!folder.has_nameless_files) {
    findings.push_back(
        {false, fmt::format("the file system of {} has no O_TMPFILE: a process that dies while it writes "
                            "may leave a hidden .partial file, which the next one overwrites",
                            folder.path)});
  }
  const std::string blind = hosts_that(job, [](const HostFacts& host) { return !host.sees_folder; });
  if (!blind.empty()) {
    findings.push_back({true, fmt::format("{} cannot see what {} writes in {}, so that a run could not go on there: "
                                          "choose a folder that all hosts share with -o",
                                          blind, job.hosts.front().name, folder.path)});
  }
  return findings;
}

Findings check_locks(const JobFacts& job) {
  if (!job.folder.error.empty()) return {};
  const std::string blind = hosts_that(job, [](const HostFacts& host) { return host.sees_folder && !host.sees_lock; });
  if (blind.empty()) return {};
  return {
      {true, fmt::format("{} may lock a file of {} that {} has locked, so that two jobs could write one run: mount it "
                         "with locks (NFS: without nolock and local_lock; Lustre: flock), or choose another folder "
                         "with -o",
                         blind, job.folder.path, job.hosts.front().name)}};
}

Findings check_free_space(const JobFacts& job) {
  const FolderFacts& folder = job.folder;
  if (folder.free < 0 || folder.free >= folder.needed) return {};
  return {
      {true, fmt::format("{} has room for {}, and a run takes up to {} for its checkpoints and its model: make room, "
                         "or choose another folder with -o",
                         folder.path, as_memory(folder.free), as_memory(folder.needed))}};
}

}  // namespace mnist_dist::cli::doctor
