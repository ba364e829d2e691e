// What doctor is to judge: facts without a fault, in which tests plant one.
#pragma once

#include <string>
#include <vector>

#include "../../../src/cli/doctor/facts.hpp"

inline constexpr double kGigabyte = 1 << 30;

/// A host of four cores with two hardware threads each: 0 and 4, 1 and 5, and so on.
mnist_dist::cli::doctor::HostFacts healthy_host(const std::string& name, int first_rank, int ranks);

/// Three hosts with three ranks each.
mnist_dist::cli::doctor::JobFacts healthy_job();

/// That the job has one finding, and which words stand in it.
void check_one(const mnist_dist::cli::doctor::JobFacts& job, bool is_problem, const std::vector<std::string>& words);

void set_cpus(mnist_dist::cli::doctor::HostFacts& host, const std::vector<std::vector<int>>& cpus);
