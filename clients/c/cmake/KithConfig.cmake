# find_package(Kith) gives the target Kith::kith.
include("${CMAKE_CURRENT_LIST_DIR}/KithTargets.cmake")
