#pragma once

namespace qheat {

/// From now on SIGTERM and SIGUSR1 ask for a stop at the next safe point; a second one, more than two seconds
/// later (batch systems send the first twice), stops the process at once.
void catch_stop_signals();

/// True once this rank has been asked to stop.
bool stop_signal_received();

}  // namespace qheat
