package shop.faults;

/** A thread that ends when it is interrupted and doesn't keep the service from ending. */
class Daemon {

	private Daemon() {
	}

	static Thread start(String name, Task task) {
		Thread thread = new Thread(() -> {
			try {
				task.run();
			}
			catch (InterruptedException ex) {
				// Switched off.
			}
		}, name);
		thread.setDaemon(true);
		thread.start();
		return thread;
	}

	interface Task {

		void run() throws InterruptedException;

	}

}
