import socketio

# Create client
sio = socketio.Client()

@sio.on('connect')
def on_connect():
    print('Connected!')
    # Subscribe to job
    sio.emit('subscribe:job', {'job_id': 'your-job-id'})

@sio.on('job:update')
def on_job_update(data):
    print(f"Job update: {data}")

@sio.on('job:completed')
def on_job_completed(data):
    print(f"Job completed: {data}")

# Connect
sio.connect('http://localhost:8000')
sio.wait()
