// What doctor finds in planted facts of one host, and that it finds nothing in healthy ones.
#include <doctest/doctest.h>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "../../../src/cli/doctor/findings.hpp"
#include "../../../src/cli/doctor/gathering.hpp"
#include "healthy_job.hpp"
#include "mnist_dist/core/processors.hpp"
#include "temporary_folder.hpp"
#include "variable.hpp"

using namespace mnist_dist::cli::doctor;

TEST_CASE("nothing is found where nothing is wrong") {
  CHECK(findings_of(healthy_job()).empty());
  JobFacts alone;  // started by nobody
  alone.hosts = {healthy_host("laptop", 0, 1)};
  alone.hosts[0].ranks[0].cpus = {0, 1, 2, 3, 4, 5, 6, 7};
  alone.hosts[0].variables.clear();
  CHECK(findings_of(alone).empty());
}

TEST_CASE("doctor finds more ranks than cores") {
  JobFacts job = healthy_job();
  set_cpus(job.hosts[1], {{0}, {1}, {2}, {3}, {4}});
  check_one(job, true, {"node2: 5 ranks on 4 cores (8 hardware threads)", "--ntasks-per-node=4"});
}

TEST_CASE("doctor finds ranks on the hardware threads of one core") {
  JobFacts job = healthy_job();
  set_cpus(job.hosts[0], {{0}, {4}, {1}});
  check_one(job, true, {"node1: 3 ranks on CPUs 0 to 1, 4", "fewer cores, though there are 4 cores", "nomultithread"});
  set_cpus(job.hosts[0], {{0, 4, 1, 5}, {0, 4, 1, 5}, {0, 4, 1, 5}});
  check_one(job, true, {"node1: 3 ranks on CPUs 0 to 1, 4 to 5"});
  // Enough for all, though the first comers could take the only place of the last one.
  set_cpus(job.hosts[0], {{0, 1, 2}, {0, 1}, {0}});
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds ranks that are bound too narrowly, or not at all") {
  JobFacts job = healthy_job();
  set_cpus(job.hosts[2], {{2}, {2}, {2}});
  check_one(job, true, {"node3: 3 ranks may use CPUs 2 only, though there are 4 cores", "--bind-to core"});
  set_cpus(job.hosts[2], std::vector<std::vector<int>>(3, {0, 1, 2, 3, 4, 5, 6, 7}));
  check_one(job, false, {"node3: no rank is bound", "4 for 3 ranks"});
  job.hosts[2].cores.clear();  // a system that does not tell
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds too little memory") {
  JobFacts job = healthy_job();
  job.hosts[1].memory_needed = 20 * kGigabyte;
  check_one(job, true, {"node2: at least", "of memory for 3 ranks", "--batch-size"});
}

TEST_CASE("doctor finds too little shared memory") {
  JobFacts job = healthy_job();
  job.hosts[1].shared_memory_free = 0.05 * kGigabyte;
  check_one(job, true, {"node2: /dev/shm", "--shm-size", "remount"});
  job = healthy_job();
  job.hosts[1].shared_memory = job.hosts[1].shared_memory_free = 64 << 20;
  job.hosts[1].shared_memory_needed = 20 << 20;
  check_one(job, false, {"node2: /dev/shm", "enough for these 3 ranks", "--shm-size"});
  job.hosts[1].shared_memory = job.hosts[1].shared_memory_free = -1;  // a system that has none, or does not tell
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds ranks that may not read each other's memory") {
  JobFacts job = healthy_job();
  job.hosts[0].ranks[2].reading_error = "Operation not permitted";
  check_one(job, true, {"node1: rank 2", "Operation not permitted", "single_copy_mechanism=none", "ptrace_scope"});
  job.hosts[0].variables["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none";
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds munge without its daemon") {
  JobFacts job = healthy_job();
  job.hosts[2].munge_is_silent = true;
  check_one(job, false, {"node3: munge", "PMIX_MCA_psec=native"});
  job.hosts[2].variables["PMIX_MCA_psec"] = "native";
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds what slows OpenBLAS down, and threads that nobody starts") {
  JobFacts job = healthy_job();
  job.hosts[0].slow_blas = "OpenBLAS takes it for a Prescott";
  check_one(job, false, {"node1: OpenBLAS takes it for a Prescott"});
  job = healthy_job();
  job.hosts[0].variables["OPENBLAS_NUM_THREADS"] = "8";
  check_one(job, false, {"node1: OPENBLAS_NUM_THREADS=8 has no effect"});
}

TEST_CASE("doctor finds a data set that a host cannot open") {
  JobFacts job = healthy_job();
  job.hosts[1].data_error = "cannot read mnist.h5: No such file or directory";
  check_one(job, true, {"node2: cannot read mnist.h5"});
}

TEST_CASE("doctor finds a folder in which runs cannot be written") {
  JobFacts job = healthy_job();
  job.folder.error = "cannot write runs/x: Read-only file system";
  check_one(job, true, {"Read-only file system", "-o"});
}

TEST_CASE("doctor finds a folder that holds a run") {
  JobFacts job = healthy_job();
  job.folder.run_there = "runs/x already holds a run: go on with --resume runs/x";
  check_one(job, true, {"runs/x already holds a run", "--resume runs/x"});
  job.folder.error = "cannot write runs/x: Read-only file system";
  check_one(job, true, {"Read-only file system", "-o"});
}

TEST_CASE("doctor finds a file system without O_TMPFILE") {
  JobFacts job = healthy_job();
  job.folder.has_nameless_files = false;
  check_one(job, false, {"O_TMPFILE", ".partial"});
}

TEST_CASE("doctor finds too little room for a run") {
  JobFacts job = healthy_job();
  job.folder.free = 0.9e6;
  check_one(job, true, {"runs has room for", "make room"});
  job.folder.free = -1;  // a file system that does not tell
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor sees this machine") {
  const HostFacts host = look_at_host();
  CHECK(!host.name.empty());
  CHECK(host.memory > 0);
  CHECK(host.cores == mnist_dist::cores_of_machine());
}

TEST_CASE("doctor reads what Open MPI reads at home") {
  const char* const kName = "OMPI_MCA_oob_tcp_keepalive_time";
  const TemporaryFolder home;
  const Variable home_variable("HOME", home.path().c_str());
  const Variable unset(kName, nullptr);
  std::filesystem::create_directory(home.path() / ".openmpi");
  std::ofstream(home.path() / ".openmpi/mca-params.conf") << "# oob_tcp_keepalive_time = 1\noob_tcp_keepalive_time=2\n";
  CHECK(look_at_host().variables.at(kName) == "2");
  setenv(kName, "3", 1);
  CHECK(look_at_host().variables.at(kName) == "3");
}
