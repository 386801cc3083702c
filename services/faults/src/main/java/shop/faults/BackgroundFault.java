package shop.faults;

/** A fault that a thread of its own does beside the requests, until it is interrupted. */
abstract class BackgroundFault extends SwitchedFault {

	private final String threadName;

	private Thread thread;

	BackgroundFault(String kind, String threadName) {
		super(kind);
		this.threadName = threadName;
	}

	@Override
	final void begin() {
		this.thread = Daemon.start(this.threadName, this::run);
	}

	@Override
	final void end() {
		this.thread.interrupt();
		this.thread = null;
	}

	/** Returns or throws when the thread is interrupted, and has then given back whatever it held. */
	abstract void run() throws InterruptedException;

}
