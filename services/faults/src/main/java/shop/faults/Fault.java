package shop.faults;

/**
 * Something that goes wrong in a running service when it is switched on, and stops when it is switched off.
 * Both may be called again and again. Faults touch requests of the shop, never those to the actuator.
 */
interface Fault {

	/** The name in the vocabulary that simulator, lab and services share, such as {@code cpu-burn}. */
	String kind();

	boolean isOn();

	/** @throws FaultRefusedException where this service can't have the fault, with what to do instead */
	void switchOn();

	void switchOff();

	/** Called before each request of the shop; may wait or throw. */
	default void beforeRequest() {
	}

}
